/** The notices that were sent, stored in Kafka, so that neither a restart nor another control plane repeats one. */
import type { KafkaSettings } from '@databridge/kernel/kafka/kafkajs/client';
import { CompactedTable } from '@databridge/kernel/kafka/tables/compacted-table';
import { NOTICES_TOLD_TOPIC } from '@databridge/schemas/records/topics';
import { z } from 'zod';
import type { Told } from './announce.ts';

const KINDS = [
  'disabled',
  'held',
  'behind',
  'budget',
  'dead-letters',
  'certificate',
  'not-running',
  'quarantine',
] as const;

const told = z.object({
  kind: z.enum(KINDS),
  customer: z.string().optional(),
  sinceMs: z.number(),
  level: z.number(),
  toldAtMs: z.number(),
});

export function encodeTold(value: Told): string {
  return JSON.stringify(value);
}

/** By the keys of announce.ts. A record of a kind that this version does not know is passed over. */
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
