import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installIdleTimerPatch } from '@databridge/kernel/kafka/kafkajs/patches/idle-timer-patch';
import { Kafka, logLevel } from 'kafkajs';
import type { Artifacts } from './artifacts.ts';

installIdleTimerPatch();

/** The heap of a broker that serves one machine; 256 MiB is too little for compaction with some hundred topics. */
export const MAX_HEAP = '-Xmx512m';

/** The serial collector and the C1 compiler start one small broker a second sooner and cost no throughput here. */
export const QUICK_START = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

export interface KafkaPorts {
  client: number;
  controller: number;
  /** An additional listener, whose clients are sent to another port, where a relay to the broker listens. */
  relayed?: { port: number; advertisedPort: number } | undefined;
}

/** A broker, alone or in a cluster; each is a controller as well. */
export interface KafkaNode extends KafkaPorts {
  /** The first node has the id 1. */
  nodeId: number;
  /** The controller ports of all nodes, in the order of their ids. */
  controllerPorts: readonly number[];
  secured?: SecuredListener | undefined;
  /** Broker properties that differ from those of a local platform. */
  brokerSettings?: Readonly<Record<string, string>> | undefined;
  /** The limit of its heap; the default is 512 MiB. Some thousand topics need more. */
  heapMiB?: number | undefined;
}

/** An additional listener, `SECURED`, for tests of TLS, SASL and access control. */
export interface SecuredListener {
  port: number;
  /** The broker properties that secure the listener. */
  settings: Readonly<Record<string, string>>;
}

/**
 * Makes `dir` ready for a broker and returns the arguments for java. Ports may differ from one start to the
 * next: nothing in the data depends on them.
 */
export async function prepareKafka(dir: string, node: KafkaNode, artifacts: Artifacts): Promise<string[]> {
  const logDir = join(dir, 'data');
  // The copy's last file makes it count as formatted, so that a copy broken off is done again.
  if (!existsSync(join(logDir, 'meta.properties'))) {
    await cp(artifacts.formattedLogDir, logDir, {
      recursive: true,
      filter: (from) => !from.endsWith('meta.properties'),
    });
    const formatted = await readFile(join(artifacts.formattedLogDir, 'meta.properties'), 'utf8');
    await writeFile(join(logDir, 'meta.properties'), formattedFor(node.nodeId, formatted));
  }
  const propertiesFile = join(dir, 'server.properties');
  await writeFile(propertiesFile, serverProperties(logDir, node));
  return [
    node.heapMiB === undefined ? MAX_HEAP : `-Xmx${node.heapMiB}m`,
    ...QUICK_START,
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    '-Dorg.slf4j.simpleLogger.showDateTime=true',
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS",
    ...['-cp', artifacts.kafkaClassPath, 'kafka.Kafka', propertiesFile],
  ];
}

/** The settings of a single broker that serves one machine, wherever it runs. */
export const LONE_BROKER_SETTINGS: Readonly<Record<string, string | number | boolean>> = {
  // A mistyped topic must be an error here as in production.
  'auto.create.topics.enable': false,
  // A group is complete with its first member more often than not.
  'group.initial.rebalance.delay.ms': 0,
  // A new segment's two index files have this size, and are mapped. Where the kernel reads far ahead, the first entry in
  // each of 10 MiB, the broker's default, took 13 ms: 27 s for a thousand topics. A segment still holds 85 MiB and more.
  'log.index.size.max.bytes': 262_144,
  // Fewer partitions of the internal topics: each costs files and time at the first use.
  'offsets.topic.num.partitions': 8,
  'transaction.state.log.num.partitions': 4,
  'share.coordinator.state.topic.num.partitions': 1,
  'offsets.topic.replication.factor': 1,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'share.coordinator.state.topic.replication.factor': 1,
  'share.coordinator.state.topic.min.isr': 1,
  // After a crash the broker is let in again when its last session has run out: 9 s by default.
  'broker.session.timeout.ms': 3_000,
  'broker.heartbeat.interval.ms': 1_000,
  // Erased records are gone a second after their tombstones, instead of up to 15 s.
  'log.cleaner.backoff.ms': 1_000,
  // As long as delivery topics keep records, so that a customer paused for days resumes where it was.
  'offsets.retention.minutes': 14 * 24 * 60,
};

/** The formatted directory is that of node 1: another node gets its own node id and directory id. */
function formattedFor(nodeId: number, metaProperties: string): string {
  if (nodeId === 1) return metaProperties;
  const directoryId = randomBytes(16).toString('base64url');
  return metaProperties
    .replace(/^node\.id=.*$/m, `node.id=${nodeId}`)
    .replace(/^directory\.id=.*$/m, `directory.id=${directoryId}`);
}

/** The settings of a cluster of at least three brokers: a write goes to three replicas, and continues with two. */
const REPLICATED_SETTINGS = {
  'offsets.topic.replication.factor': 3,
  'transaction.state.log.replication.factor': 3,
  'transaction.state.log.min.isr': 2,
  'share.coordinator.state.topic.replication.factor': 3,
  'share.coordinator.state.topic.min.isr': 2,
};

function serverProperties(logDir: string, node: KafkaNode): string {
  const { client, controller, relayed, secured, brokerSettings, nodeId, controllerPorts } = node;
  const listeners = [`PLAINTEXT://127.0.0.1:${client}`, `CONTROLLER://127.0.0.1:${controller}`];
  const advertised = [`PLAINTEXT://127.0.0.1:${client}`];
  if (relayed) {
    listeners.push(`RELAYED://127.0.0.1:${relayed.port}`);
    advertised.push(`RELAYED://127.0.0.1:${relayed.advertisedPort}`);
  }
  if (secured) {
    listeners.push(`SECURED://127.0.0.1:${secured.port}`);
    advertised.push(`SECURED://127.0.0.1:${secured.port}`);
  }
  const settings: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': nodeId,
    'controller.quorum.voters': controllerPorts.map((port, at) => `${at + 1}@127.0.0.1:${port}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,RELAYED:PLAINTEXT',
    listeners: listeners.join(','),
    'advertised.listeners': advertised.join(','),
    'log.dirs': logDir,
    ...LONE_BROKER_SETTINGS,
    ...(controllerPorts.length >= 3 && REPLICATED_SETTINGS),
    ...secured?.settings,
    ...brokerSettings,
  };
  return `${Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')}\n`;
}

/** Sends one request to the broker; false while it doesn't answer. */
export async function kafkaAnswers(port: number): Promise<boolean> {
  const kafka = new Kafka({
    clientId: 'local-platform',
    brokers: [`127.0.0.1:${port}`],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1_000,
    requestTimeout: 2_000,
    retry: { retries: 0 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    const { brokers } = await admin.describeCluster();
    return brokers.length > 0;
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
