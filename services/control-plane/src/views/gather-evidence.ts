import type { CommittedOffset, ConsumedBatch, ConsumedRecord } from '@databridge/kernel/kafka/records';
import { readTopics } from '@databridge/kernel/kafka/topic-reader';
import { decodeOffsetSet, type OffsetRange } from '@databridge/kernel/offsets/offset-set';
import { type Attempt, decodeAttempts } from '@databridge/schemas/records/attempts';
import { readDeadLetterHeaders, readDeliveryHeaders } from '@databridge/schemas/records/headers';
import { eventKeyOf, identified } from '@databridge/schemas/records/identity';
import { ATTEMPTS_TOPIC, deadTopic, deliveryGroup, deliveryTopic } from '@databridge/schemas/records/topics';
import type { ControlPlaneContext } from '../context.ts';
import { lanesOf } from './customer-lanes.ts';
import type { AttemptedEvent, Evidence, TimeRange, WrittenEvent } from './reconcile.ts';

/**
 * Reads what {@link Evidence} needs, in an order that holds while delivery goes on: the committed offsets first. A
 * record that they call done was delivered, or stands in its next topic, before they were committed, so the topics,
 * read after them, show it; one that they don't call done is waiting, or delivered since.
 */
export async function gatherEvidence(
  { admin, kafka }: Pick<ControlPlaneContext, 'admin' | 'kafka'>,
  customer: string,
  range: TimeRange,
): Promise<Evidence> {
  const isDone = doneBy(await admin.committedOffsets(deliveryGroup(customer)));
  const mainTopic = deliveryTopic(customer);
  const graveyard = deadTopic(customer);
  const lanes = await lanesOf(admin, customer);

  const written = new Map<string, WrittenEvent>();
  const waiting = new Map<string, string[]>();
  const letters = new Map<string, { eventKey: string; reason: string }>();
  const tombstones = new Set<string>();
  const attempted = new Map<string, AttemptedEvent>();

  const takeLane = (lane: string, { topic, partition, records }: ConsumedBatch) => {
    for (const record of records) {
      const read = readDeliveryHeaders(record.headers);
      if (read.testWithinMs !== undefined) continue;
      const isMain = topic === mainTopic;
      const facts = isMain ? identified(read, { topic, partition, offset: record.offset }) : read;
      const { eventId, replayId, source } = facts;
      const eventKey = eventKeyOf(facts);
      if (isMain && replayId === undefined && isWithin(record, range)) {
        const before = written.get(eventKey)?.records ?? 0;
        written.set(eventKey, { eventId, records: before + 1, ...(source !== undefined && { source }) });
      }
      if (!isDone(topic, partition, record.offset)) waiting.set(eventKey, [...(waiting.get(eventKey) ?? []), lane]);
    }
  };
  const takeLetters = ({ records }: ConsumedBatch) => {
    for (const { key, value, headers } of records) {
      const id = key?.toString('utf8') ?? '';
      const facts = readDeadLetterHeaders(headers);
      if (value === null) {
        letters.delete(id);
        tombstones.add(id);
      } else {
        letters.set(id, { eventKey: eventKeyOf(facts), reason: facts.reason });
        tombstones.delete(id);
      }
    }
  };
  const takeAttempts = ({ records }: ConsumedBatch) => {
    for (const { key, value } of records) {
      if (value === null || key?.toString('utf8') !== customer) continue;
      for (const attempt of decodeAttempts(value)?.attempts ?? []) {
        const eventKey = eventKeyOf(attempt);
        attempted.set(eventKey, withAttempt(attempted.get(eventKey), attempt));
      }
    }
  };

  await readTopics(kafka, [...lanes.keys(), graveyard], {
    onBatch(batch) {
      const lane = lanes.get(batch.topic);
      if (lane === undefined) takeLetters(batch);
      else takeLane(lane, batch);
    },
  });
  // No attempt is older than the record that it tried.
  const since = range.fromMs === undefined ? {} : { fromMs: range.fromMs };
  await readTopics(kafka, [ATTEMPTS_TOPIC], { ...since, onBatch: takeAttempts });

  const dead = new Map([...letters.values()].map(({ eventKey, reason }) => [eventKey, reason]));
  return { customer, written, waiting, dead, tombstones, attempted };
}

function isWithin(
  { timestampMs }: ConsumedRecord,
  { fromMs = 0, toMs = Number.POSITIVE_INFINITY }: TimeRange,
): boolean {
  return timestampMs >= fromMs && timestampMs < toMs;
}

function withAttempt(known: AttemptedEvent | undefined, { outcome }: Attempt): AttemptedEvent {
  return {
    attempts: (known?.attempts ?? 0) + (outcome === 'skipped' ? 0 : 1),
    delivered: (known?.delivered ?? 0) + (outcome === 'delivered' ? 1 : 0),
    lastOutcome: outcome,
  };
}

type IsDone = (topic: string, partition: number, offset: number) => boolean;

/** Below the committed offset, or among those that the commit's metadata calls done beyond it. */
export function doneBy(commits: readonly CommittedOffset[]): IsDone {
  const places = new Map<string, { committed: number; beyond: readonly OffsetRange[] }>();
  for (const { topic, partition, offset, metadata } of commits) {
    places.set(`${topic}/${partition}`, { committed: offset, beyond: decodeOffsetSet(offset, metadata) });
  }
  return (topic, partition, offset) => {
    const place = places.get(`${topic}/${partition}`);
    if (place === undefined) return false;
    return offset < place.committed || place.beyond.some(({ from, to }) => offset >= from && offset < to);
  };
}
