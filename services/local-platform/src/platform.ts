/**
 * What the services need from outside: a Kafka and a schema registry. Where they run is behind this
 * interface; `platform-jvm.ts` runs them as local JVMs, `platform-docker.ts` as containers;
 * `local-platform.ts` chooses.
 */
export interface Platform {
  /** `host:port` of the brokers to bootstrap from. */
  readonly brokers: string[];
  /** Base URL of the registry's Confluent-compatible API, without a trailing slash. */
  readonly registryUrl: string;
  /** Ends whatever this platform started; resolves when nothing of it runs any more. Safe to call twice. */
  stop(): Promise<void>;
}

/** How a part of the platform is ended: in good order, or as a crash would. */
export type StopMode = 'graceful' | 'kill';

/** A platform whose parts can be taken away and brought back, as tests of faults need it. Addresses and data stay. */
export interface ControllablePlatform extends Platform {
  /** @param at which of several brokers, from 0, in the order of `brokers` */
  stopBroker(mode?: StopMode, at?: number): Promise<void>;
  startBroker(at?: number): Promise<void>;
  stopRegistry(mode?: StopMode): Promise<void>;
  startRegistry(): Promise<void>;
  /** Sends a signal to the broker's process, e.g. SIGSTOP and SIGCONT. */
  signalBroker(signal: NodeJS.Signals, at?: number): void;
}

/** Where a platform on this machine listens. */
export interface OwnPorts {
  readonly kafka: number;
  readonly registry: number;
}
