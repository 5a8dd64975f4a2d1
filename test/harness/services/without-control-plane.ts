/** How tests and the bench read and write subscriptions where no control plane runs: nothing here is safe with a second writer. */
import type { ControlPlaneContext } from '@databridge/control-plane/context';
import { type Commit, recordsOf } from '@databridge/control-plane/subscriptions/changes';
import { AttemptRollups } from '@databridge/control-plane/views/attempts/attempt-rollups';
import type { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import type { KafkaSettings } from '@databridge/kernel/kafka/kafkajs/client';
import type { RecordProducer } from '@databridge/kernel/kafka/records';
import { readTopic } from '@databridge/kernel/kafka/topic-reader';
import { ErasedEvents } from '@databridge/schemas/privacy/erasures';
import { decodeAttempts } from '@databridge/schemas/records/attempts';
import { decodeStatus, type WorkerStatus } from '@databridge/schemas/records/status';
import { ATTEMPTS_TOPIC, STATUS_TOPIC, SUBSCRIPTIONS_TOPIC } from '@databridge/schemas/records/topics';
import { defaultRetryPlan } from '@databridge/schemas/retries/retry-plan';
import { decodeSubscription, formatIssues, type Subscription } from '@databridge/schemas/subscription/subscription';

/** Every customer's subscription as it stands in Kafka, its secrets sealed: reads the topic, once. */
export async function readStoredSubscriptions(kafka: KafkaSettings): Promise<Map<string, Subscription>> {
  const stored = new Map<string, Subscription>();
  await readTopic(kafka, SUBSCRIPTIONS_TOPIC, {
    onBatch({ records }) {
      for (const { key, value } of records) {
        const customer = key?.toString('utf8') ?? '';
        stored.delete(customer);
        if (value === null) continue;
        const parsed = decodeSubscription(customer, value);
        if (parsed.ok) stored.set(customer, parsed.subscription);
        else kafka.log.error({ customer }, `the stored subscription is not valid: ${formatIssues(parsed.issues)}`);
      }
    },
  });
  return stored;
}

export function commitBy(producer: Pick<RecordProducer, 'send'>, name: string): Commit {
  return (changes) => producer.send(recordsOf(changes, { name, role: 'local' }, Date.now()));
}

/** What the control plane keeps in memory, read anew for each question. */
export function viewsByReading(
  kafka: KafkaSettings,
  admin: Pick<KafkaAdmin, 'watermarks'>,
): Pick<
  ControlPlaneContext,
  | 'workerStatuses'
  | 'workers'
  | 'attemptCounts'
  | 'attemptSeries'
  | 'lastDelivered'
  | 'oldestWaiting'
  | 'retryPlan'
  | 'sharedSettings'
  | 'watermarks'
  | 'operations'
  | 'invitations'
  | 'events'
  | 'eventTypes'
  | 'erasures'
  | 'intakeTopics'
> {
  return {
    workers: () => [],
    attemptSeries: () => [],
    lastDelivered: () => undefined,
    oldestWaiting: () => undefined,
    retryPlan: defaultRetryPlan(),
    sharedSettings: {},
    operations: async () => new Map(),
    erasures: { events: new ErasedEvents(), refreshed: async () => undefined },
    intakeTopics: new Map(),
    invitations: async () => new Map(),
    eventTypes: ['root-cause'],
    // Every quarantined record can be read by now.
    events: { render: async () => ({ event: {} }) },
    async workerStatuses() {
      const found = new Map<string, WorkerStatus>();
      await readTopic(kafka, STATUS_TOPIC, {
        onBatch({ records }) {
          for (const { key, value } of records) {
            const status = value === null ? undefined : decodeStatus(value);
            if (key !== null && status !== undefined) found.set(key.toString('utf8'), status);
          }
        },
      });
      return found;
    },
    async attemptCounts(customers) {
      const counts = new AttemptRollups();
      await readTopic(kafka, ATTEMPTS_TOPIC, {
        onBatch({ records }) {
          for (const { value } of records) {
            const batch = value === null ? undefined : decodeAttempts(value);
            for (const attempt of batch?.attempts ?? []) counts.add(batch?.customer ?? '', attempt, Date.now());
          }
        },
      });
      return new Map(customers.map((customer) => [customer, counts.of(customer, Date.now())]));
    },
    async watermarks(topics) {
      const found = topics.map(async (topic) => [topic, await admin.watermarks(topic)] as const);
      return new Map(await Promise.all(found));
    },
  };
}
