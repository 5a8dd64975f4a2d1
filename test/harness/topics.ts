import { randomBytes } from 'node:crypto';
import type { Admin, ITopicConfig } from 'kafkajs';
import { eventually } from './eventually.ts';

/** `prefix-<8 random characters>`: also fit for a customer's name (`[a-z0-9-]`). */
export function freshName(prefix: string): string {
  return `${prefix}-${randomBytes(4).toString('hex')}`;
}

/**
 * Creates the topic if it isn't there, and waits until every partition has a leader that answers. kafkajs would wait
 * itself, but gives up at once when a broker that is busy does not know of the topic yet.
 */
export async function createTopic(admin: Admin, spec: ITopicConfig & { numPartitions: number }): Promise<void> {
  await admin.createTopics({ topics: [spec], waitForLeaders: false });
  // What the metadata name as leader may hear of it a moment later, and refuses until then: it is asked itself.
  const answering = async () => (await admin.fetchTopicOffsets(spec.topic).catch(() => [])).length;
  await eventually(answering, (partitions) => partitions >= spec.numPartitions);
}
