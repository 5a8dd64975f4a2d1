import { hash } from 'node:crypto';
import { readDeliveryHeaders } from '@databridge/schemas/records/headers';
import { deliveryGroup } from '@databridge/schemas/records/topics';
import type { ControlPlaneContext } from '../context.ts';
import { doneBy } from '../views/gather-evidence.ts';
import { readExisting } from './call-search.ts';

/** More records that wait are not looked through: 50 MB of memory. */
const MAX_WAITING = 1_000_000;

/**
 * Whether compaction of a lane could lose an event. A crash, or a produce request that was repeated, leaves two copies of
 * a record under one key. While a worker holds the first, it counts the second as done; compaction keeps the second
 * only. So a lane is compacted only when no record that waits has a copy behind it.
 * @returns true also if too many records wait to be looked through
 */
export async function hasWaitingForks(
  { admin, kafka, erasures }: Pick<ControlPlaneContext, 'admin' | 'kafka' | 'erasures'>,
  customer: string,
  topic: string,
): Promise<boolean> {
  const commits = await admin.committedOffsets(deliveryGroup(customer));
  const isDone = doneBy(commits);
  const waiting = new Set<number>();
  let isFound = false;
  await readExisting(kafka, [topic], {
    within: (_topic, partition) => ({
      from: commits.find((one) => one.topic === topic && one.partition === partition)?.offset ?? 0,
    }),
    onBatch({ partition, records }) {
      for (const { key, value, headers, offset } of records) {
        if (isFound || key === null || value === null || erasures.events.has(readDeliveryHeaders(headers))) continue;
        // Two keys with one hash only delay: the lane is not compacted then.
        const digest = hash('sha256', key, 'buffer').readUIntBE(0, 6);
        if (waiting.has(digest)) isFound = true;
        else if (!isDone(topic, partition, offset)) waiting.add(digest);
        if (waiting.size > MAX_WAITING) isFound = true;
      }
    },
  });
  return isFound;
}
