import type { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { customerOfTopic, deliveryTopic, retryDelayOf } from '@databridge/schemas/records/topics';

/**
 * The topics that a customer's worker reads, the main lane first: topic → `main`, or the retry lane's delay. Lanes of
 * an older retry plan are included.
 */
export async function lanesOf(admin: Pick<KafkaAdmin, 'listTopics'>, customer: string): Promise<Map<string, string>> {
  return lanesAmong(await admin.listTopics(), customer);
}

export function lanesAmong(topics: readonly string[], customer: string): Map<string, string> {
  const mainTopic = deliveryTopic(customer);
  const lanes = new Map<string, string>(topics.includes(mainTopic) ? [[mainTopic, 'main']] : []);
  for (const topic of topics) {
    const delay = retryDelayOf(customer, topic);
    if (delay !== undefined) lanes.set(topic, delay);
  }
  return lanes;
}

/** Customer → its topics among these: for many customers, without a pass over all topics for each. */
export function topicsByCustomer(topics: readonly string[]): Map<string, string[]> {
  return Map.groupBy(topics, (topic) => customerOfTopic(topic) ?? '');
}
