import { setTimeout as delay } from 'node:timers/promises';
import { fanOutVariables } from '@databridge/fan-out/config';
import { startFanOut } from '@databridge/fan-out/start-fan-out';
import { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { KafkaProducer } from '@databridge/kernel/kafka/producing/producer';
import type { ConsumedRecord, ProducedRecord } from '@databridge/kernel/kafka/records';
import { readTopic } from '@databridge/kernel/kafka/topic-reader';
import { createLogger } from '@databridge/kernel/log';
import { createRegistry } from '@databridge/kernel/metrics';
import { type EventType, loadEventTypes } from '@databridge/schemas/event/event-types';
import {
  customerTopics,
  deliveryTopic,
  FAN_OUT_GROUP,
  SUBSCRIPTIONS_TOPIC,
  systemTopics,
  type TopicSpec,
} from '@databridge/schemas/records/topics';
import { encodeSubscription, formatIssues, parseSubscription } from '@databridge/schemas/subscription/subscription';
import { platform } from '../platform.ts';

const WAIT_MS = 60_000;

/** What a test says of a customer; the rest of its subscription does not matter to fan-out. */
export interface FanOutCustomer {
  customer: string;
  eventTypes?: string[];
  match?: Record<string, string[]>;
  filter?: string;
  state?: string;
  /** The customer's topics are left to the test. */
  withoutTopics?: boolean;
}

export interface FanOutHereOptions {
  /** Created before it starts. */
  topics?: TopicSpec[];
  registryUrl?: string;
}

export type FanOutHere = Awaited<ReturnType<typeof startFanOutHere>>;

/**
 * Fan-out in this process, with these customers and no others. Stopped at the end of the test at the latest.
 * @param eventTypes or the line of configuration that names them
 */
export async function startFanOutHere(
  eventTypes: string | EventType[],
  customers: readonly FanOutCustomer[],
  options: FanOutHereOptions = {},
) {
  const { brokers, registryUrl } = platform();
  const log = createLogger('test', process.env['TEST_LOG_LEVEL'] ?? 'silent');
  const settings = { brokers, clientId: 'test', log };
  const admin = new KafkaAdmin(settings);
  const producer = new KafkaProducer(settings);
  await producer.connect();
  const withTopics = customers.filter(({ withoutTopics }) => !withoutTopics);
  await admin.ensureTopics([
    ...systemTopics(),
    ...(options.topics ?? []),
    ...withTopics.flatMap(({ customer }) => customerTopics(customer)),
  ]);
  await producer.send(customers.map(subscriptionRecord));

  const metrics = createRegistry('fan-out');
  const config = {
    ...fanOutVariables.parse({
      KAFKA_BROKERS: brokers.join(','),
      SCHEMA_REGISTRY_URL: options.registryUrl ?? registryUrl,
    }),
    EVENT_TYPES: typeof eventTypes === 'string' ? loadEventTypes(eventTypes) : eventTypes,
  };
  const service = await startFanOut(config, { log, registry: metrics });

  const readAll = async (topic: string): Promise<ConsumedRecord[]> => {
    const records: ConsumedRecord[] = [];
    await readTopic(settings, topic, { onBatch: (batch) => void records.push(...batch.records) });
    return records;
  };
  const isDone = async (topic: string): Promise<boolean> => {
    const committed = await admin.committedOffsets(FAN_OUT_GROUP);
    const offsetOf = (partition: number) =>
      committed.find((one) => one.topic === topic && one.partition === partition)?.offset ?? 0;
    return (await admin.watermarks(topic)).every(({ partition, high }) => offsetOf(partition) >= high);
  };

  const fanOut = {
    service,
    admin,
    readAll,
    isDone,
    delivered: (customer: string) => readAll(deliveryTopic(customer)),
    produce: (topic: string, value: Buffer | null, headers = {}) =>
      producer.send([{ topic, key: 'key', value, headers }]),
    /** Resolves when all that is in the intake topic now is done and committed. */
    async waitUntilDone(topic: string): Promise<void> {
      await waitFor(`${topic} is done`, () => isDone(topic));
    },
    async count(metric: string, labels: Record<string, string> = {}): Promise<number> {
      const found = await metrics.getSingleMetric(metric)?.get();
      return (found?.values ?? [])
        .filter((one) => Object.entries(labels).every(([name, value]) => one.labels[name] === value))
        .reduce((sum, { value }) => sum + value, 0);
    },
    async stop(): Promise<void> {
      running.delete(fanOut);
      await service.stop();
      await producer.send(
        customers.map(({ customer }) => ({ topic: SUBSCRIPTIONS_TOPIC, key: customer, value: null })),
      );
      await Promise.all([producer.disconnect(), admin.disconnect()]);
    },
  };
  running.add(fanOut);
  return fanOut;
}

const running = new Set<{ stop(): Promise<void> }>();

/** Whatever became of the test: the next one's is the only member of the group. */
afterEach(async () => {
  await Promise.all([...running].map((fanOut) => fanOut.stop()));
});

/** Asks again and again until it is so. */
export async function waitFor(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + WAIT_MS;
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) throw new Error(`Not within ${WAIT_MS} ms: ${what}`);
    await delay(25);
  }
}

function subscriptionRecord({ withoutTopics: _, match, ...given }: FanOutCustomer): ProducedRecord {
  const parsed = parseSubscription({
    eventTypes: ['root-cause'],
    match: match === undefined ? 'everything' : { company: 'everything', ...match },
    destination: { type: 'http', url: 'https://customer.example' },
    ...given,
  });
  if (!parsed.ok) throw new Error(formatIssues(parsed.issues));
  return { topic: SUBSCRIPTIONS_TOPIC, key: given.customer, value: encodeSubscription(parsed.subscription) };
}
