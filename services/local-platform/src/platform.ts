/**
 * The external services that Databridge needs: Kafka and a schema registry. `platform-jvm.ts` runs them as local JVMs,
 * `platform-docker.ts` as containers; `local-platform.ts` chooses.
 */
export interface Platform {
  /** The bootstrap brokers, as `host:port`. */
  readonly brokers: string[];
  /** Base URL of the registry's Confluent-compatible API, without a trailing slash. */
  readonly registryUrl: string;
  /** Stops everything that this platform started; resolves when all of it has ended. It may be called twice. */
  stop(): Promise<void>;
}

/** The way in which a part of the platform ends: by a graceful shutdown, or as in a crash. */
export type StopMode = 'graceful' | 'kill';

/** A platform whose parts can be stopped and started again, for fault tests. Addresses and data stay. */
export interface ControllablePlatform extends Platform {
  /** @param at index of the broker in `brokers`, from 0 */
  stopBroker(mode?: StopMode, at?: number): Promise<void>;
  startBroker(at?: number): Promise<void>;
  stopRegistry(mode?: StopMode): Promise<void>;
  startRegistry(): Promise<void>;
  /** Sends a signal to the broker's process, e.g. SIGSTOP and SIGCONT. */
  signalBroker(signal: NodeJS.Signals, at?: number): void;
}

/** The ports on which a platform of this machine listens. */
export interface OwnPorts {
  readonly kafka: number;
  readonly registry: number;
}
