import { existsSync } from 'node:fs';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installIdleTimerPatch } from '@databridge/kernel/kafka/idle-timer-patch';
import { Kafka, logLevel } from 'kafkajs';
import type { Artifacts } from './artifacts.ts';

installIdleTimerPatch();

/** Memory for a broker that serves one machine; 256 MiB is too little for compaction beside some hundred topics. */
export const MAX_HEAP = '-Xmx512m';

/** One small broker: the cheap collector and the quick compiler start it a second sooner and cost no throughput here. */
export const QUICK_START = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

export interface KafkaPorts {
  client: number;
  controller: number;
}

/** One more listener, `SECURED`, for tests of TLS, SASL and access control. */
export interface SecuredListener {
  port: number;
  /** Properties of the broker that make it secure. */
  settings: Readonly<Record<string, string>>;
}

/**
 * Makes `dir` ready for a broker and returns the arguments for java. Ports may differ from one start to the
 * next: nothing in the data depends on them.
 */
export async function prepareKafka(
  dir: string,
  ports: KafkaPorts,
  artifacts: Artifacts,
  secured?: SecuredListener,
): Promise<string[]> {
  const logDir = join(dir, 'data');
  // The copy's last file makes it count as formatted, so that a copy broken off is done again.
  if (!existsSync(join(logDir, 'meta.properties'))) {
    await cp(artifacts.formattedLogDir, logDir, {
      recursive: true,
      filter: (from) => !from.endsWith('meta.properties'),
    });
    await cp(join(artifacts.formattedLogDir, 'meta.properties'), join(logDir, 'meta.properties'));
  }
  const propertiesFile = join(dir, 'server.properties');
  await writeFile(propertiesFile, serverProperties(logDir, ports, secured));
  return [
    MAX_HEAP,
    ...QUICK_START,
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    '-Dorg.slf4j.simpleLogger.showDateTime=true',
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS",
    ...['-cp', artifacts.kafkaClassPath, 'kafka.Kafka', propertiesFile],
  ];
}

/** Of a broker on its own that serves one machine, wherever it runs. */
export const LONE_BROKER_SETTINGS: Readonly<Record<string, string | number | boolean>> = {
  // A mistyped topic must be an error here as in production.
  'auto.create.topics.enable': false,
  // A group is complete with its first member more often than not.
  'group.initial.rebalance.delay.ms': 0,
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
  // As long as delivery topics keep records, so that a customer paused for days resumes where it was.
  'offsets.retention.minutes': 14 * 24 * 60,
};

function serverProperties(logDir: string, ports: KafkaPorts, secured: SecuredListener | undefined): string {
  const more = secured ? `,SECURED://127.0.0.1:${secured.port}` : '';
  const settings: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${ports.controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${ports.client},CONTROLLER://127.0.0.1:${ports.controller}${more}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${ports.client}${more}`,
    'log.dirs': logDir,
    ...LONE_BROKER_SETTINGS,
    ...secured?.settings,
  };
  return `${Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')}\n`;
}

/** One question to the broker itself; false while it doesn't answer. */
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
