import { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { GroupConsumer } from '@databridge/kernel/kafka/groups/group-consumer';
import type { KafkaSettings } from '@databridge/kernel/kafka/kafkajs/client';
import { limitBatchBytes } from '@databridge/kernel/kafka/kafkajs/expansion';
import { KafkaProducer } from '@databridge/kernel/kafka/producing/producer';
import { kafkaSettings } from '@databridge/kernel/kafka/settings';
import { CompactedTable } from '@databridge/kernel/kafka/tables/compacted-table';
import { ErasedTable } from '@databridge/kernel/kafka/tables/erased-table';
import { WatermarkReader } from '@databridge/kernel/kafka/watermark-reader';
import type { Logger } from '@databridge/kernel/log';
import { EventReaders } from '@databridge/kernel/registry/event-readers';
import { exportWaiting } from '@databridge/kernel/registry/metrics';
import { registrySettings } from '@databridge/kernel/registry/registry-settings';
import { SchemaRegistry } from '@databridge/kernel/registry/schema-registry';
import type { Running } from '@databridge/kernel/service';
import { startTracing } from '@databridge/kernel/tracing/tracing';
import {
  FAN_OUT_GROUP,
  MAX_MESSAGE_BYTES,
  SUBSCRIPTIONS_TOPIC,
  systemTopics,
} from '@databridge/schemas/records/topics';
import { SubscriptionIndex } from '@databridge/schemas/subscription/match';
import type { Interest } from '@databridge/schemas/subscription/routing';
import { decodeInterest } from '@databridge/schemas/subscription/subscription';
import type { Registry } from 'prom-client';
import type { FanOutConfig } from './config.ts';
import { FanOut } from './fan-out.ts';
import { IntakeLag } from './intake-lag.ts';
import { type FanOutMetrics, fanOutMetrics } from './metrics.ts';
import { registerSchemas } from './register-schemas.ts';

export interface FanOutService extends Running {
  /** The number of subscriptions that it knows. */
  readonly subscriptions: number;
}

/**
 * Wires one fan-out instance and starts it: topics → subscriptions and erased events, all of them → intake. The order
 * matters: an event that is routed before a subscription is read would not reach that customer, and an erased event
 * that is routed before its erasure is read would.
 * @throws {KafkaPortError} if Kafka can't be reached
 */
export async function startFanOut(
  config: FanOutConfig,
  { log, registry: metricsRegistry }: { log: Logger; registry: Registry },
): Promise<FanOutService> {
  const tracing = await startTracing('fan-out', config, log);
  const settings: KafkaSettings = { ...kafkaSettings(config, 'fan-out', log), registry: metricsRegistry };
  limitBatchBytes(config.MAX_BATCH_MIB * 1024 * 1024);
  const metrics = fanOutMetrics(
    metricsRegistry,
    config.EVENT_TYPES.map(({ name }) => name),
    () => (isRunning ? (fanOut.oldestOpenMs ?? lag.waitingSinceMs) : undefined),
  );
  let isRunning = false;
  const registry = new SchemaRegistry(registrySettings(config));
  const readers = new EventReaders({ registry, log });
  exportWaiting(readers, metricsRegistry);
  const producer = new KafkaProducer(settings, { maxBatchBytes: MAX_MESSAGE_BYTES });
  const subscriptions = new SubscriptionIndex();
  const table = subscriptionsTable(settings, subscriptions, metrics);
  const erased = new ErasedTable(settings);
  const admin = new KafkaAdmin(settings);
  const stopping = new AbortController();
  const fanOut = new FanOut(
    {
      eventTypes: config.EVENT_TYPES,
      subscriptions,
      readers,
      producer,
      erased: erased.events,
      committedOffsets: () => admin.committedOffsets(FAN_OUT_GROUP),
      metrics,
      tracer: tracing?.tracer,
      log,
      maxInFlightBytes: config.MAX_IN_FLIGHT_MIB * 1024 * 1024,
    },
    (callbacks) =>
      new GroupConsumer(settings, {
        groupId: FAN_OUT_GROUP,
        topics: config.EVENT_TYPES.map(({ topic }) => topic),
        marksOversized: true,
        isCounted: true,
        ...callbacks,
      }),
  );
  const ends = new WatermarkReader(settings);
  const lag = new IntakeLag({
    ...{ metrics, log, topics: config.EVENT_TYPES.map(({ topic }) => topic) },
    assignment: () => fanOut.assignment,
    committedOffsets: () => admin.committedOffsets(FAN_OUT_GROUP),
    watermarks: (topics) => ends.of(topics),
  });
  const stop = async () => {
    stopping.abort();
    readers.stop();
    await fanOut.stop();
    await lag.stop();
    await Promise.all([
      producer.disconnect(),
      table.stop(),
      erased.stop(),
      admin.disconnect(),
      ends.disconnect(),
      tracing?.stop(),
    ]);
  };

  try {
    await ensureSystemTopics(admin, log);
    void registerSchemas(registry, config.EVENT_TYPES, log, stopping.signal);
    await Promise.all([producer.connect(), table.start(), erased.start()]);
    await table.caughtUp();
    await fanOut.start();
    lag.start();
    isRunning = true;
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    get subscriptions() {
      return subscriptions.size;
    },
    notReadyBecause: () => fanOut.notReadyBecause(),
    stop,
  };
}

async function ensureSystemTopics(admin: KafkaAdmin, log: Logger): Promise<void> {
  const { created, mismatched } = await admin.ensureTopics(systemTopics());
  if (created.length > 0) log.info({ created }, 'topics created');
  for (const mismatch of mismatched)
    log.warn({ event: 'topic_settings_differ', ...mismatch }, 'topic settings differ from those required');
}

/** Every instance reads all of it. */
function subscriptionsTable(
  settings: KafkaSettings,
  subscriptions: SubscriptionIndex,
  metrics: FanOutMetrics,
): CompactedTable<Interest> {
  return new CompactedTable<Interest>(settings, {
    topic: SUBSCRIPTIONS_TOPIC,
    decode: (_customer, value) => {
      const interest = decodeInterest(value);
      if (!interest) metrics.unreadableSubscriptions.inc();
      return interest;
    },
    onChange: (customer, interest) => {
      subscriptions.set(customer, interest);
      metrics.setFiltered(customer, interest?.filter !== undefined);
      metrics.subscriptions.set(subscriptions.size);
    },
  });
}
