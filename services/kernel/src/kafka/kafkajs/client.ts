import type { ConnectionOptions } from 'node:tls';
import kafkajs, { type Kafka, type LogEntry, type SASLOptions } from 'kafkajs';
import type { Registry } from 'prom-client';
import type { Logger } from '../../log.ts';
import { installCodecs } from './codecs.ts';
import { installCommitPatch } from './patches/commit-patch.ts';
import { installFetchPatch } from './patches/fetch-patch.ts';
import { installHeaderPatch } from './patches/header-patch.ts';
import { installHeartbeatPatch } from './patches/heartbeat-patch.ts';
import { installIdleTimerPatch } from './patches/idle-timer-patch.ts';
import { installProducePatch } from './patches/produce-patch.ts';
import { installTopicIndexPatch } from './patches/topic-index-patch.ts';
import { installBatchPatch } from './record-batches.ts';

/** The settings of the connection to the cluster; there is one per process. */
export interface KafkaSettings {
  /** `host:port`; any broker leads to all others. */
  readonly brokers: string[];
  /** Names the service in the brokers' logs and quotas. */
  readonly clientId: string;
  readonly ssl?: ConnectionOptions | boolean;
  readonly sasl?: SASLOptions;
  readonly log: Logger;
  /** The registry of the port's metrics; if omitted, there are none. */
  readonly registry?: Registry;
}

/** Receives those of kafkajs's log lines that a part of the port acts upon. */
export type ClientLogListener = (message: string, fields: Readonly<Record<string, unknown>>) => void;

const { logLevel } = kafkajs;

installIdleTimerPatch();
installCommitPatch();
installProducePatch();
installHeaderPatch();
installBatchPatch();
installHeartbeatPatch();
installFetchPatch();
installTopicIndexPatch();
installCodecs();

/**
 * Each call makes a new client: kafkajs shares committed offsets between the consumers of one `Kafka` object, so a
 * consumer must never share its own.
 *
 * @param role its use (`producer`, `consumer`, `admin`), for our log lines
 */
export function createKafka(settings: KafkaSettings, role: string, onLog?: ClientLogListener): Kafka {
  return new kafkajs.Kafka({
    brokers: [...settings.brokers],
    clientId: settings.clientId,
    ...(settings.ssl === undefined ? {} : { ssl: settings.ssl }),
    ...(settings.sasl === undefined ? {} : { sasl: settings.sasl }),
    connectionTimeout: 5_000,
    requestTimeout: 30_000,
    // About 3 s in all; long-lived parts retry by themselves. All values are stated, since kafkajs has other defaults
    // in tests.
    retry: { initialRetryTime: 100, multiplier: 2, factor: 0.2, maxRetryTime: 2_000, retries: 5 },
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => {
      onLog?.(entry.log.message, entry.log);
      log(settings.log, role, entry);
    },
  });
}

/**
 * kafkajs cannot know which errors are final: most of its errors resolve themselves. So its lines are logged one level
 * lower, and the port logs the important errors itself.
 */
function log(
  logger: Logger,
  role: string,
  { namespace, level, log: { message, timestamp: _, logger: __, ...rest } }: LogEntry,
): void {
  const fields = { kafka: { role, namespace, ...rest } };
  if (level === logLevel.ERROR) logger.warn({ event: 'kafka_client_error', ...fields }, message);
  else if (level === logLevel.WARN) logger.info(fields, message);
  else logger.debug(fields, message);
}
