import type { ControlPlaneContext } from '@databridge/control-plane/context';
import { readStoredSubscriptions } from '@databridge/control-plane/stored-subscriptions';
import { KafkaAdmin } from '@databridge/kernel/kafka/admin';
import type { KafkaSettings } from '@databridge/kernel/kafka/client';
import { KafkaProducer } from '@databridge/kernel/kafka/producer';
import { kafkaSettings } from '@databridge/kernel/kafka/settings';
import { createLogger, type Logger } from '@databridge/kernel/log';
import type { KafkaConfig } from './config.ts';

export interface Connected {
  readonly kafka: KafkaSettings;
  readonly admin: KafkaAdmin;
  readonly log: Logger;
  readonly subscriptions: ControlPlaneContext['subscriptions'];
}

/** Connects for the time of one command. */
export async function withKafka<T>(config: KafkaConfig, run: (connected: Connected) => Promise<T>): Promise<T> {
  const log = createLogger('cli', config.LOG_LEVEL);
  const kafka = kafkaSettings(config, 'databridge-cli', log);
  const admin = new KafkaAdmin(kafka);
  try {
    await admin.connect();
    return await run({ kafka, admin, log, subscriptions: () => readStoredSubscriptions(kafka) });
  } finally {
    await admin.disconnect();
  }
}

export async function withProducer<T>(kafka: KafkaSettings, run: (producer: KafkaProducer) => Promise<T>): Promise<T> {
  const producer = new KafkaProducer(kafka);
  try {
    await producer.connect();
    return await run(producer);
  } finally {
    await producer.disconnect();
  }
}
