/** How tests and the bench read and write subscriptions where no control plane runs: nothing here is safe with a second writer. */
import { type Commit, recordsOf } from '@databridge/control-plane/subscriptions/changes';
import type { KafkaSettings } from '@databridge/kernel/kafka/kafkajs/client';
import type { RecordProducer } from '@databridge/kernel/kafka/records';
import { readTopic } from '@databridge/kernel/kafka/topic-reader';
import { SUBSCRIPTIONS_TOPIC } from '@databridge/schemas/records/topics';
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
