import { hash } from 'node:crypto';
import type { ConsumedBatch } from '@databridge/kernel/kafka/records';
import { attemptsKey } from '@databridge/schemas/records/attempts';
import { readDeliveryHeaders } from '@databridge/schemas/records/headers';
import { deliveryGroup } from '@databridge/schemas/records/topics';
import type { ControlPlaneContext } from '../context.ts';
import { doneBy } from '../views/gather-evidence.ts';
import { readExisting } from './call-search.ts';
import { hasOwnKey } from './copy.ts';
import type { KeptReason } from './receipt.ts';

/** If more records wait, they are not searched: this many take 50 MB of memory. */
const MAX_WAITING = 1_000_000;

type Context = Pick<ControlPlaneContext, 'admin' | 'kafka' | 'erasures'>;

/**
 * Why compaction of a lane could lose an event:
 *
 * - Records of earlier versions have the event id as their key, and events of several sources may have the same one.
 * - A crash, or a produce request that was repeated, leaves two copies of a record under one key. While a worker buffers
 *   the first, it counts the second as done; compaction keeps only the second. So no record that waits may have a copy
 *   behind it.
 *
 * @returns undefined: it can lose none
 */
export async function laneDanger(
  { admin, kafka, erasures }: Context,
  customer: string,
  topic: string,
): Promise<KeptReason | undefined> {
  const isDone = doneBy(await admin.committedOffsets(deliveryGroup(customer)));
  const waiting = new Set<number>();
  let found: KeptReason | undefined;
  await readExisting(kafka, [topic], {
    onBatch({ partition, records }) {
      for (const { key, value, headers, offset } of records) {
        if (value === null || found !== undefined) continue;
        const facts = readDeliveryHeaders(headers);
        // Tests are no events, and erased events may go.
        if (facts.testWithinMs !== undefined || erasures.events.has(facts)) continue;
        if (!hasOwnKey(topic, { key, headers })) {
          found = 'earlier-version';
          continue;
        }
        // Two keys with one hash only delay: the lane is not compacted then.
        const digest = hash('sha256', key ?? '', 'buffer').readUIntBE(0, 6);
        if (waiting.has(digest) || waiting.size > MAX_WAITING) found = 'copies-wait';
        else if (!isDone(topic, partition, offset)) waiting.add(digest);
      }
    },
  });
  return found;
}

/** Records of the attempt log with one key are equal, or one is the other's remainder: only old keys are dangerous. */
export async function attemptsDanger({ kafka }: Context, topic: string): Promise<KeptReason | undefined> {
  let found: KeptReason | undefined;
  await readExisting(kafka, [topic], {
    onBatch({ records }: ConsumedBatch) {
      if (records.some(({ key, value }) => value !== null && !attemptsKey(key).isUnique)) found = 'earlier-version';
    },
  });
  return found;
}
