import { partitionOfKey } from '@databridge/kernel/kafka/producing/murmur2';
import type { CommittedOffset, ConsumedBatch, ConsumedRecord } from '@databridge/kernel/kafka/records';
import { readTopics } from '@databridge/kernel/kafka/topic-reader';
import { decodeOffsetSet, type OffsetRange } from '@databridge/kernel/offsets/offset-set';
import { eventDigest, readTombstone } from '@databridge/schemas/privacy/erasures';
import { type Attempt, attemptsKey, decodeAttempts } from '@databridge/schemas/records/attempts';
import { readDeadLetterHeaders, readDeliveryHeaders } from '@databridge/schemas/records/headers';
import { eventKeyOf, identified, letterKeyOf } from '@databridge/schemas/records/identity';
import { ATTEMPTS_TOPIC, deadTopic, deliveryGroup, deliveryTopic } from '@databridge/schemas/records/topics';
import type { ControlPlaneContext } from '../context.ts';
import { lanesAmong } from './customer-lanes.ts';
import type { AttemptedEvent, Evidence, TimeRange, WrittenEvent, WrittenReplay } from './reconcile.ts';

/**
 * Reads what {@link Evidence} needs, in an order that holds while delivery goes on: the committed offsets first. A
 * record that they mark as done was delivered, or was written to its next topic, before they were committed, so the topics,
 * read after them, show it; one that they don't call done is waiting, or delivered since.
 */
export async function gatherEvidence(
  { admin, kafka, erasures }: Pick<ControlPlaneContext, 'admin' | 'kafka' | 'erasures'>,
  customer: string,
  range: TimeRange,
): Promise<Evidence> {
  const isDone = doneBy(await admin.committedOffsets(deliveryGroup(customer)));
  const mainTopic = deliveryTopic(customer);
  const graveyard = deadTopic(customer);
  const topics = await admin.listTopics();
  const lanes = lanesAmong(topics, customer);

  const written = new Map<string, WrittenEvent>();
  const replays = new Map<string, WrittenReplay>();
  /** The main-lane records that are done: when fan-out, or a replay, wrote them. */
  const doneAtMs = new Map<string, number>();
  const waiting = new Map<string, string[]>();
  const letters = new Map<string, { keys: readonly string[]; reason: string }>();
  const tombstones = new Set<string>();
  const attempted = new Map<string, AttemptedEvent>();
  const erased = new Set<string>();

  const takeLane = (lane: string, { topic, partition, records }: ConsumedBatch) => {
    for (const record of records) {
      const read = readDeliveryHeaders(record.headers);
      if (read.testWithinMs !== undefined) continue;
      const isMain = topic === mainTopic;
      if (record.value === null) {
        if (isMain) takeTombstone(record);
        continue;
      }
      const facts = isMain ? identified(read, { topic, partition, offset: record.offset }) : read;
      const { eventId, replayId, source } = facts;
      const isErased = isMain && erasures.events.has(facts);
      const eventKey = isErased ? eventDigest(facts) : eventKeyOf(facts);
      if (isErased) erased.add(eventKey).add(eventKeyOf(facts));
      if (isMain && replayId === undefined && isWithin(record, range)) {
        const before = written.get(eventKey)?.records ?? 0;
        written.set(eventKey, { eventId, records: before + 1, ...(source !== undefined && { source }) });
      }
      if (isMain && replayId !== undefined && isWithin(record, range)) {
        replays.set(letterKeyOf(facts), { eventId, replayId, ...(source !== undefined && { source }) });
      }
      const keys = keysOf(facts);
      if (isDone(topic, partition, record.offset)) {
        if (isMain) doneAtMs.set(letterKeyOf(facts), record.timestampMs);
      } else for (const key of keys) waiting.set(key, [...(waiting.get(key) ?? []), lane]);
    }
  };
  /** In the place of an erased record, whose bytes may be gone: the digest of the event is all that is known of it. */
  const takeTombstone = (record: ConsumedRecord) => {
    const { digest, replayId, writtenAtMs = record.timestampMs } = readTombstone(record.headers) ?? {};
    if (digest === undefined || replayId !== undefined) return;
    if (!isWithin({ timestampMs: writtenAtMs }, range)) return;
    erased.add(digest);
    if (!written.has(digest)) written.set(digest, { eventId: '', records: 1 });
  };
  const takeLetters = ({ records }: ConsumedBatch) => {
    for (const { key, value, headers } of records) {
      const id = key?.toString('utf8') ?? '';
      const facts = readDeadLetterHeaders(headers);
      if (value === null) {
        letters.delete(id);
        tombstones.add(id);
      } else {
        letters.set(id, { keys: keysOf(facts), reason: facts.reason });
        tombstones.delete(id);
      }
    }
  };
  const batches = new Set<number>();
  const takeAttempts = ({ records }: ConsumedBatch) => {
    for (const { key, value, offset } of records) {
      if (value === null || attemptsKey(key).customer !== customer) continue;
      const batch = decodeAttempts(value);
      // What is left of a record that an erasure replaced, and that was read as it was before.
      if (batch === undefined || (batch.insteadOf && batches.has(batch.insteadOf.offset))) continue;
      batches.add(batch.insteadOf?.offset ?? offset);
      for (const attempt of batch.attempts) {
        for (const key of keysOf(attempt)) attempted.set(key, withAttempt(attempted.get(key), attempt));
      }
    }
  };

  const graveyards = topics.includes(graveyard) ? [graveyard] : [];
  await readTopics(kafka, [...lanes.keys(), ...graveyards], {
    onBatch(batch) {
      const lane = lanes.get(batch.topic);
      if (lane === undefined) takeLetters(batch);
      else takeLane(lane, batch);
    },
  });
  // No attempt is older than its record.
  const since = range.fromMs === undefined ? {} : { fromMs: range.fromMs };
  const log = await readAttempts({ admin, kafka }, customer, since, takeAttempts);

  const dead = new Map([...letters.values()].flatMap(({ keys, reason }) => keys.map((key) => [key, reason] as const)));
  const settled = new Set([...doneAtMs].filter(([, atMs]) => atMs < log.keptSinceMs).map(([key]) => key));
  return { customer, written, replays, waiting, dead, tombstones, attempted, erased, settled };
}

/** The key of the event itself, and that of the replay that the evidence belongs to. */
function keysOf({ eventId, source, replayId }: Evidenced): readonly string[] {
  const eventKey = eventKeyOf({ eventId, source });
  return replayId === undefined ? [eventKey] : [eventKey, letterKeyOf({ eventId, source, replayId })];
}

interface Evidenced {
  readonly eventId: string;
  readonly source?: string | undefined;
  readonly replayId?: string | undefined;
}

/**
 * Reads the single partition of the attempt log that has the customer's attempts.
 * @returns since when the log is complete: attempts are kept for 7 days, lanes for 14
 */
async function readAttempts(
  { admin, kafka }: Pick<ControlPlaneContext, 'admin' | 'kafka'>,
  customer: string,
  since: { readonly fromMs?: number },
  onBatch: (batch: ConsumedBatch) => void,
): Promise<{ keptSinceMs: number }> {
  const ends = await admin.watermarks(ATTEMPTS_TOPIC);
  const own = partitionOfKey(Buffer.from(customer), ends.length);
  const low = ends.find(({ partition }) => partition === own)?.low ?? 0;
  let oldest: ConsumedRecord | undefined;
  await readTopics(kafka, [ATTEMPTS_TOPIC], {
    ...since,
    within: (_topic, partition) => (partition === own ? undefined : { to: 0 }),
    onBatch(batch) {
      oldest ??= batch.records[0];
      onBatch(batch);
    },
  });
  // Nothing was ever deleted, or only records before the range. (An erasure may leave a hole at the beginning.)
  const isCut = since.fromMs !== undefined && oldest !== undefined && oldest.offset > low;
  if (low === 0 || isCut) return { keptSinceMs: Number.NEGATIVE_INFINITY };
  return { keptSinceMs: oldest?.timestampMs ?? Number.POSITIVE_INFINITY };
}

function isWithin(
  { timestampMs }: Pick<ConsumedRecord, 'timestampMs'>,
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

/** Below the committed offset, or among the offsets that the commit's metadata lists as done. */
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
