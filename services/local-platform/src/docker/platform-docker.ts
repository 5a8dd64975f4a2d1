import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { DatabridgeError, messageOf } from '@databridge/kernel/errors';
import { GenericContainer, getContainerRuntimeClient, Wait } from 'testcontainers';
import { freePorts } from '../free-port.ts';
import { kafkaAnswers, LONE_BROKER_SETTINGS, MAX_HEAP, QUICK_START } from '../jvm/kafka-server.ts';
import { registryAnswers, registryUrlAt } from '../jvm/registry-server.ts';
import type { ControllablePlatform, OwnPorts, StopMode } from '../platform.ts';
import { KAFKA_IMAGE, REGISTRY_IMAGE } from './docker.ts';

const START_TIMEOUT_MS = 120_000;
const POLL_MS = 100;
/** The broker takes under 2 s to shut down cleanly. */
const GRACE_SECONDS = 15;
/** The label names the data that a container uses. */
const DATA_LABEL = 'databridge.data';
/** The containers of a killed process are removed within 10 s. */
const REMOVED_WITHIN_MS = 20_000;

export interface DockerPlatformOptions {
  /**
   * The volumes that keep the data for the next start are named after this directory; they are not in it, since
   * containers have users of their own. Absent: the volumes are removed with the platform.
   */
  dataDir?: string | undefined;
  /** Ports of this machine; absent: free ones. */
  ports?: OwnPorts | undefined;
  /** Called when a part ends although nothing stopped it. */
  onFailure?: ((error: DatabridgeError) => void) | undefined;
}

/**
 * Starts one Kafka broker and one registry as containers on 127.0.0.1, which end with this process, however it ends.
 * Docker must be available: see `askDocker`.
 * @throws {DatabridgeError} DB_PLATFORM_START_FAILED, DB_PLATFORM_DATA_IN_USE
 */
export async function startDockerPlatform(options: DockerPlatformOptions = {}): Promise<ControllablePlatform> {
  const { dataDir, onFailure, ports } = options;
  const data = dataDir === undefined ? undefined : dataId(dataDir);
  if (data !== undefined) await waitUntilUnused(data);
  const [freeKafkaPort = 0, freeHttpPort = 0] = await freePorts(2);
  const kafkaPort = ports?.kafka ?? freeKafkaPort;
  const httpPort = ports?.registry ?? freeHttpPort;

  const broker = new Part('Kafka', kafkaContainer(kafkaPort, data), () => kafkaAnswers(kafkaPort), onFailure);
  const registry = new Part(
    'The schema registry',
    registryContainer(httpPort, data),
    () => registryAnswers(httpPort),
    onFailure,
  );

  async function stop(): Promise<void> {
    // There is nothing to save of data that go with the platform.
    const mode = data === undefined ? 'kill' : 'graceful';
    await Promise.all([broker.stop(mode), registry.stop(mode)]);
    await Promise.all([broker.remove(), registry.remove()]);
  }

  const starts = await Promise.allSettled([broker.start(), registry.start()]);
  const failed = starts.find((start) => start.status === 'rejected');
  if (failed) {
    await Promise.all([broker.remove(), registry.remove()]);
    throw failed.reason;
  }
  return {
    brokers: [`127.0.0.1:${kafkaPort}`],
    registryUrl: registryUrlAt(httpPort),
    stop,
    stopBroker: (mode = 'graceful') => broker.stop(mode),
    startBroker: () => broker.start(),
    stopRegistry: (mode = 'graceful') => registry.stop(mode),
    startRegistry: () => registry.start(),
    signalBroker: (signal) => void broker.signal(signal),
  };
}

/** The names of the volumes that contain what was written with this `dataDir`. */
export function volumesOf(dataDir: string): Record<'kafka' | 'registry', string> {
  const data = dataId(dataDir);
  return { kafka: volumeName(data, 'kafka'), registry: volumeName(data, 'registry') };
}

const dataId = (dataDir: string) => createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
const volumeName = (data: string, part: 'kafka' | 'registry') => `databridge-${data}-${part}`;

function kafkaContainer(port: number, data: string | undefined): OwnContainer {
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': '1@localhost:9093',
    'controller.listener.names': 'CONTROLLER',
    // The broker talks to itself as well, and can't reach itself by the address that clients use.
    listeners: 'CLIENTS://:9092,CONTROLLER://:9093,ITSELF://:9094',
    'advertised.listeners': `CLIENTS://127.0.0.1:${port},ITSELF://localhost:9094`,
    'listener.security.protocol.map': 'CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT,ITSELF:PLAINTEXT',
    'inter.broker.listener.name': 'ITSELF',
    'log.dirs': '/var/lib/kafka/data',
    ...LONE_BROKER_SETTINGS,
  };
  // Setting one of them replaces the image's own configuration, so they are all here.
  const environment = Object.entries(settings).map(([name, value]) => [
    `KAFKA_${name.toUpperCase().replaceAll('.', '_')}`,
    String(value),
  ]);
  const container = new OwnContainer(KAFKA_IMAGE)
    .withEnvironment({
      ...Object.fromEntries(environment),
      KAFKA_HEAP_OPTS: MAX_HEAP,
      KAFKA_JVM_PERFORMANCE_OPTS: QUICK_START.join(' '),
    })
    // The container runs long before the broker does.
    .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/));
  return container.publish(9092, port).keep(data, 'kafka', '/var/lib/kafka/data');
}

function registryContainer(port: number, data: string | undefined): OwnContainer {
  const container = new OwnContainer(REGISTRY_IMAGE)
    .withEnvironment({
      // In a file, so that ids outlive a restart.
      REGISTRY_DATASOURCE_URL: `jdbc:h2:file:${data === undefined ? '/tmp' : '/data'}/registry`,
      JAVA_OPTIONS: ['-Xmx256m', ...QUICK_START].join(' '),
    })
    .withWaitStrategy(Wait.forLogMessage(/Listening on: http/));
  // A new volume belongs to root, where the image has no such directory.
  if (data !== undefined) container.withUser('0:0');
  return container.publish(8080, port).keep(data, 'registry', '/data');
}

class OwnContainer extends GenericContainer {
  /** Publishes a port on 127.0.0.1 only; it stays the same when the container is stopped and started. */
  publish(containerPort: number, port: number): this {
    const name = `${containerPort}/tcp`;
    this.createOpts.ExposedPorts = { [name]: {} };
    this.hostConfig.PortBindings = { [name]: [{ HostIp: '127.0.0.1', HostPort: String(port) }] };
    return this;
  }

  /** @param data absent: the data is removed with the container */
  keep(data: string | undefined, part: 'kafka' | 'registry', target: string): this {
    if (data === undefined) return this;
    return this.withBindMounts([{ source: volumeName(data, part), target }]).withLabels({ [DATA_LABEL]: data });
  }
}

type Docker = Awaited<ReturnType<typeof getContainerRuntimeClient>>['container'];
type Container = ReturnType<Docker['getById']>;

/** One container that can be stopped and started again, ready when it answers. */
class Part {
  readonly #name: string;
  readonly #definition: OwnContainer;
  readonly #answers: () => Promise<boolean>;
  readonly #onFailure: DockerPlatformOptions['onFailure'];
  #container: Container | undefined;
  #isRunning = false;

  constructor(
    name: string,
    definition: OwnContainer,
    answers: () => Promise<boolean>,
    onFailure: DockerPlatformOptions['onFailure'],
  ) {
    this.#name = name;
    this.#definition = definition;
    this.#answers = answers;
    this.#onFailure = onFailure;
  }

  async start(): Promise<void> {
    if (this.#isRunning) return;
    try {
      if (this.#container) await this.#container.start();
      else {
        const started = await this.#definition.withStartupTimeout(START_TIMEOUT_MS).start();
        this.#container = (await getContainerRuntimeClient()).container.getById(started.getId());
      }
    } catch (error) {
      throw this.#startFailed(messageOf(error));
    }
    this.#isRunning = true;
    const container = this.#container;
    const ended = container.wait({ condition: 'not-running' });
    ended.then(
      () => this.#onEnd(),
      () => undefined,
    );
    const deadlineMs = performance.now() + START_TIMEOUT_MS;
    while (!(await this.#answers())) {
      if (!this.#isRunning) throw this.#startFailed('it ended');
      if (performance.now() > deadlineMs) throw this.#startFailed(`no answer within ${START_TIMEOUT_MS / 1_000} s`);
      await delay(POLL_MS);
    }
  }

  #startFailed(why: string): DatabridgeError {
    return new DatabridgeError('DB_PLATFORM_START_FAILED', `${this.#name} did not start in its container: ${why}`);
  }

  #onEnd(): void {
    if (!this.#isRunning) return; // It was stopped on purpose.
    this.#isRunning = false;
    this.#onFailure?.(new DatabridgeError('DB_PLATFORM_ENDED', `${this.#name}'s container ended unexpectedly`));
  }

  async stop(mode: StopMode): Promise<void> {
    if (!this.#isRunning || !this.#container) return;
    this.#isRunning = false;
    if (mode === 'kill') await this.#container.kill();
    else await this.#container.stop({ t: GRACE_SECONDS });
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    await this.#container?.kill({ signal });
  }

  async remove(): Promise<void> {
    this.#isRunning = false;
    await this.#container?.remove({ force: true, v: true }).catch(() => undefined);
  }
}

/** Waits until no container uses the volume: two brokers would damage each other's files. */
async function waitUntilUnused(data: string): Promise<void> {
  const { dockerode } = (await getContainerRuntimeClient()).container;
  const filters = { label: [`${DATA_LABEL}=${data}`], status: ['running'] };
  const deadlineMs = performance.now() + REMOVED_WITHIN_MS;
  while ((await dockerode.listContainers({ filters })).length > 0) {
    if (performance.now() > deadlineMs) {
      throw new DatabridgeError(
        'DB_PLATFORM_DATA_IN_USE',
        'Containers already run on these data. Stop the program that started them, or set LOCAL_DATA_DIR to another directory.',
      );
    }
    await delay(POLL_MS);
  }
}
