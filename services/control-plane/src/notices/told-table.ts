/** The notices that were sent, stored in Kafka, so that neither a restart nor another control plane repeats one. */
import type { KafkaSettings } from '@databridge/kernel/kafka/kafkajs/client';
import { CompactedTable } from '@databridge/kernel/kafka/tables/compacted-table';
import { NOTICES_TOLD_TOPIC } from '@databridge/schemas/records/topics';
import { z } from 'zod';
import type { Told } from './announce.ts';
import { NOTICE_KINDS } from './conditions.ts';

const told = z.object({
  kind: z.enum(NOTICE_KINDS),
  customer: z.string().optional(),
  sinceMs: z.number(),
  level: z.number(),
  toldAtMs: z.number(),
});

export function encodeTold(value: Told): string {
  return JSON.stringify(value);
}

/** The table has the keys of announce.ts. A record of a kind that this version does not know is skipped. */
export function toldTable(kafka: KafkaSettings): CompactedTable<Told> {
  return new CompactedTable<Told>(kafka, {
    topic: NOTICES_TOLD_TOPIC,
    maxWaitMs: 200,
    decode: (_key, value) => {
      const { customer, ...rest } = told.parse(JSON.parse(value.toString('utf8')));
      return { ...rest, ...(customer !== undefined && { customer }) };
    },
  });
}
