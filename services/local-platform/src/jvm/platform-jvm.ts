import { mkdir, mkdtemp, readFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DatabridgeError } from '@databridge/kernel/errors';
import { waitUntilUnused } from '../docker/data-owner.ts';
import { freePorts } from '../free-port.ts';
import type { ControllablePlatform, OwnPorts, StopMode } from '../platform.ts';
import type { MachineConfig } from '../platform-config.ts';
import { type Artifacts, ensureArtifacts } from './artifacts.ts';
import { classArchiveFlags, type JvmFlags } from './class-archives.ts';
import type { FetchProgress } from './fetch-progress.ts';
import { findJava, type Java } from './java.ts';
import { type Jvm, type JvmOptions, startJvm } from './jvm.ts';
import { kafkaAnswers, prepareKafka, type SecuredListener } from './kafka-server.ts';
import { prepareRegistry, registryAnswers, registryUrlAt } from './registry-server.ts';

/** A cold start takes 4 s on an idle machine of two cores. */
const START_TIMEOUT_MS = 90_000;
const POLL_MS = 100;
/** The broker takes under 2 s to shut down cleanly. */
const GRACE_MS = 15_000;
/** A port that was free a moment ago may be taken, and the port of a broker that was just killed may still be held. */
const IN_USE = /BindException|Address already in use|seems to be used/;
const MAX_IN_USE_RETRIES = 10;

export interface JvmPlatformOptions extends Pick<MachineConfig, 'javaHome' | 'cacheDir'> {
  /** Keeps data across restarts, schema ids too; absent: a temporary directory that is removed with the platform. */
  dataDir?: string | undefined;
  /** The ports of the first broker and the registry; absent: free ones. */
  ports?: OwnPorts | undefined;
  progress?: FetchProgress | undefined;
  secured?: SecuredListener | undefined;
  /** Broker properties that differ from those of a local platform. */
  brokerSettings?: Readonly<Record<string, string>> | undefined;
  /** The limit of each broker's heap; the default is 512 MiB. Some thousand topics need more. */
  heapMiB?: number | undefined;
  /** The default is 1. With three brokers, every topic has three replicas. */
  brokerCount?: number | undefined;
  /** A port where a relay listens: clients of the first broker's `relayedPort` are sent there. For tests of bad networks. */
  relayAtPort?: number | undefined;
  /** Called when a part ends although nothing stopped it. */
  onFailure?: FailureListener | undefined;
}

export interface JvmPlatform extends ControllablePlatform {
  /** The port of the first broker's listener behind the relay; undefined without `relayAtPort`. */
  readonly relayedPort: number | undefined;
}

type FailureListener = (error: DatabridgeError) => void;

/**
 * Starts Kafka, with one broker by default, and one registry as JVMs on 127.0.0.1.
 * @throws {DatabridgeError} DB_PLATFORM_…
 */
export async function startJvmPlatform(options: JvmPlatformOptions): Promise<JvmPlatform> {
  const { dataDir, secured, onFailure, brokerCount, relayAtPort, ports, brokerSettings, heapMiB } = options;
  const launched = await launch({
    ...(await preparePrograms(options)),
    dataDir,
    secured,
    brokerSettings,
    heapMiB,
    onFailure,
    brokerCount,
    relayAtPort,
    ports,
  });
  // There is nothing to save of data that go with the platform.
  return { ...launched, stop: () => launched.stop(dataDir === undefined ? 'kill' : 'graceful') };
}

/**
 * Fetches the programs and writes their class archives, unless that was done before on this machine. After that,
 * several platforms can start at once.
 * @throws {DatabridgeError} DB_PLATFORM_…
 */
export async function preparePrograms({
  cacheDir,
  javaHome,
  progress,
}: Pick<JvmPlatformOptions, 'cacheDir' | 'javaHome' | 'progress'>): Promise<{
  java: Java;
  artifacts: Artifacts;
  flags: JvmFlags;
}> {
  const java = await findJava(javaHome);
  const artifacts = await ensureArtifacts({ cacheDir, java: java.command, progress });
  const flags = await classArchiveFlags(artifacts.home, java, async (rehearsalFlags) => {
    const rehearsal = await launch({ java, artifacts, flags: rehearsalFlags });
    await rehearsal.stop('graceful');
  });
  return { java, artifacts, flags };
}

type Launched = Omit<JvmPlatform, 'stop'> & { stop(mode: StopMode): Promise<void> };

/** @throws {DatabridgeError} DB_PLATFORM_DATA_IN_USE, DB_PLATFORM_START_FAILED */
async function launch(options: {
  java: Java;
  artifacts: Artifacts;
  flags: JvmFlags;
  dataDir?: string | undefined;
  ports?: OwnPorts | undefined;
  secured?: SecuredListener | undefined;
  brokerSettings?: Readonly<Record<string, string>> | undefined;
  heapMiB?: number | undefined;
  onFailure?: FailureListener | undefined;
  brokerCount?: number | undefined;
  relayAtPort?: number | undefined;
}): Promise<Launched> {
  const {
    java,
    artifacts,
    flags,
    dataDir,
    secured,
    brokerSettings,
    heapMiB,
    onFailure,
    brokerCount = 1,
    relayAtPort,
    ports,
  } = options;
  const dir = dataDir ?? (await mkdtemp(join(tmpdir(), 'databridge-platform-')));
  const [freeHttpPort = 0, relayedPort = 0, ...others] = await freePorts(2 + 2 * brokerCount);
  const httpPort = ports?.registry ?? freeHttpPort;
  const clientPorts = others.slice(0, brokerCount).map((port, at) => (at === 0 ? (ports?.kafka ?? port) : port));
  const controllerPorts = others.slice(brokerCount);
  const common = {
    command: java.command,
    graceMs: GRACE_MS,
    ...(dataDir === undefined && { removeWhenOrphaned: dir }),
  };

  // Tells in a list of processes whose they are.
  const named = `-Ddatabridge.platform=${dir}`;

  const brokers = clientPorts.map((client, at) => {
    const name = at === 0 ? 'kafka' : `kafka-${at + 1}`;
    const relayed =
      at === 0 && relayAtPort !== undefined ? { port: relayedPort, advertisedPort: relayAtPort } : undefined;
    const controller = controllerPorts[at] ?? 0;
    const node = { nodeId: at + 1, client, controller, controllerPorts, relayed, secured, brokerSettings, heapMiB };
    return new Part({
      name: 'Kafka',
      pidFile: join(dir, `${name}.pid`),
      onFailure,
      answers: () => kafkaAnswers(client),
      async prepare() {
        const kafkaDir = join(dir, name);
        await mkdir(kafkaDir, { recursive: true });
        const args = await prepareKafka(kafkaDir, node, artifacts);
        const logFile = join(dir, `${name}.log`);
        return { ...common, args: [named, ...flags.kafka, ...args], cwd: kafkaDir, env: process.env, logFile };
      },
    });
  });
  const registry = new Part({
    name: 'The schema registry',
    pidFile: join(dir, 'registry.pid'),
    onFailure,
    answers: () => registryAnswers(httpPort),
    async prepare() {
      const registryDir = join(dir, 'registry');
      await mkdir(registryDir, { recursive: true });
      const { args, cwd, env } = prepareRegistry(registryDir, httpPort, artifacts);
      const logFile = join(dir, 'registry.log');
      return {
        ...common,
        args: [named, ...flags.registry, ...args],
        cwd,
        env: { ...process.env, ...env },
        logFile,
      };
    },
  });

  async function stop(mode: StopMode): Promise<void> {
    await Promise.all([...brokers.map((broker) => broker.stop(mode)), registry.stop(mode)]);
    if (dataDir === undefined) await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  }

  const starts = await Promise.allSettled([...brokers.map((broker) => broker.start()), registry.start()]);
  const failed = starts.find((start) => start.status === 'rejected');
  if (failed) {
    await stop('kill');
    throw failed.reason;
  }
  return {
    brokers: clientPorts.map((port) => `127.0.0.1:${port}`),
    registryUrl: registryUrlAt(httpPort),
    relayedPort: relayAtPort === undefined ? undefined : relayedPort,
    stop,
    stopBroker: async (mode = 'graceful', at = 0) => brokers[at]?.stop(mode),
    startBroker: async (at = 0) => brokers[at]?.start(),
    stopRegistry: (mode = 'graceful') => registry.stop(mode),
    startRegistry: () => registry.start(),
    signalBroker: (signal, at = 0) => brokers[at]?.signal(signal),
  };
}

interface PartOptions {
  name: string;
  /** See {@link JvmOptions}. */
  pidFile: string;
  onFailure: FailureListener | undefined;
  /** Sends a request to the part; false while it doesn't answer. */
  answers(): Promise<boolean>;
  /** Prepares its directory; called before every start. */
  prepare(): Promise<Omit<JvmOptions, 'pidFile'>>;
}

/** One JVM that can be stopped and started again, ready when it answers. */
class Part {
  readonly #options: PartOptions;
  #jvm: Jvm | undefined;

  constructor(options: PartOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    if (this.#jvm) return;
    await waitUntilUnused(this.#options.pidFile, GRACE_MS);
    const options = { ...(await this.#options.prepare()), pidFile: this.#options.pidFile };
    for (let retries = 0; ; retries++) {
      const failure = await this.#startOnce(options);
      if (failure === undefined) return;
      const log = await readFile(options.logFile, 'utf8').catch(() => '');
      if (IN_USE.test(log) && retries < MAX_IN_USE_RETRIES) {
        await truncate(options.logFile);
        await delay(1_000);
        continue;
      }
      const lastLines = log.trimEnd().split('\n').slice(-15).join('\n');
      throw new DatabridgeError(
        'DB_PLATFORM_START_FAILED',
        `${this.#options.name} did not start: ${failure}.\n${lastLines}`,
      );
    }
  }

  /** @returns why it did not start; undefined: it did */
  async #startOnce(options: JvmOptions): Promise<string | undefined> {
    const jvm = await startJvm(options);
    this.#jvm = jvm;
    let endReason: string | undefined;
    void jvm.ended.then((reason) => {
      endReason = reason;
    });
    const deadlineMs = performance.now() + START_TIMEOUT_MS;
    while (!(await this.#options.answers())) {
      if (endReason !== undefined || performance.now() > deadlineMs) {
        await this.stop('kill');
        return endReason ?? `no answer within ${START_TIMEOUT_MS / 1_000} s`;
      }
      await delay(POLL_MS);
    }
    void jvm.ended.then((reason) => this.#onEnd(jvm, `${reason}; its log is ${options.logFile}`));
    return undefined;
  }

  #onEnd(jvm: Jvm, reason: string): void {
    if (this.#jvm !== jvm) return; // It was stopped on purpose.
    this.#jvm = undefined;
    this.#options.onFailure?.(
      new DatabridgeError('DB_PLATFORM_ENDED', `${this.#options.name} ended unexpectedly: ${reason}`),
    );
  }

  async stop(mode: StopMode): Promise<void> {
    const jvm = this.#jvm;
    this.#jvm = undefined;
    await jvm?.stop(mode);
  }

  signal(signal: NodeJS.Signals): void {
    this.#jvm?.signal(signal);
  }
}
