import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Admin, Consumer } from 'kafkajs';
import { toPortError } from './errors.ts';
import { createKafka, type KafkaSettings } from './kafkajs/client.ts';
import { toRecord } from './kafkajs/consumed-record.ts';
import type { ConsumedBatch, ConsumedRecord } from './records.ts';

export interface ReadOptions {
  /** Only records appended then or later (ms since the epoch). */
  readonly fromMs?: number;
  /** Only records appended before then. */
  readonly toMs?: number;
  /** Only records from offset `from` on, and before `to`; undefined: the whole partition. */
  within?(topic: string, partition: number): { readonly from?: number; readonly to?: number } | undefined;
  /** In offset order within a partition; the batches of several partitions come mixed. Awaited before the next. */
  onBatch(batch: ConsumedBatch): void | Promise<void>;
}

interface Span {
  readonly topic: string;
  readonly partition: number;
  readonly leader: number;
  position: number;
  readonly end: number;
}

/** Nothing more comes from a partition if its broker, asked so often in a row, had nothing. */
const EMPTY_FETCHES = 2;
const MAX_WAIT_MS = 100;
const LEADERS_WITHIN_MS = 20_000;
const ASK_AGAIN_AFTER_MS = 200;

/**
 * Reads topics from their start (or a time) to where they end when it is called, then resolves. For operations that
 * look at everything once; what is read continually is a `CompactedTable` or a `GroupConsumer`.
 * @throws {KafkaPortError} `DB_KAFKA_UNKNOWN_TOPIC` if one is not there; and whatever `onBatch` throws, which ends it
 */
export async function readTopics(
  settings: KafkaSettings,
  topics: readonly string[],
  options: ReadOptions,
): Promise<void> {
  const kafka = createKafka(settings, 'topic-reader');
  const admin = kafka.admin();
  // kafkajs reads only as a member of a group: a private one, which commits nothing and is deleted.
  const groupId = `databridge.reader.${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: MAX_WAIT_MS, allowAutoTopicCreation: false });
  try {
    await admin.connect();
    const spans = await patiently(() => spansOf(admin, topics, options));
    if (spans.every(isRead)) return;
    await consumer.connect();
    await read(consumer, spans, options);
  } catch (error) {
    if (error instanceof HandlerFailure) throw error.cause;
    throw toPortError(error, `reading ${topics.join(', ')}`);
  } finally {
    await consumer.disconnect().catch(() => undefined);
    // Left behind, it would vanish by itself, only later.
    await admin.deleteGroups([groupId]).catch(() => undefined);
    await admin.disconnect().catch(() => undefined);
  }
}

export async function readTopic(settings: KafkaSettings, topic: string, options: ReadOptions): Promise<void> {
  await readTopics(settings, [topic], options);
}

/** What `onBatch` threw: the caller's own, not the port's. */
class HandlerFailure extends Error {
  constructor(cause: unknown) {
    super('onBatch failed', { cause });
  }
}

const isRead = ({ position, end }: Span) => position >= end;

/** One call after the other: one that fails must not leave another under way when the admin disconnects. */
async function spansOf(
  admin: Admin,
  topics: readonly string[],
  { fromMs, toMs, within }: ReadOptions,
): Promise<Span[]> {
  const spans: Span[] = [];
  const at = async (topic: string, ms: number | undefined) => {
    // Below zero, Kafka takes a time for one of its special offsets.
    const offsets = ms === undefined ? [] : await admin.fetchTopicOffsetsByTimestamp(topic, Math.max(0, ms));
    return new Map(offsets.map(({ partition, offset }) => [partition, Number(offset)]));
  };
  for (const topic of topics) {
    const metadata = await admin.fetchTopicMetadata({ topics: [topic] });
    const leaders = new Map(metadata.topics[0]?.partitions.map((one) => [one.partitionId, one.leader]));
    const watermarks = await admin.fetchTopicOffsets(topic);
    const starts = await at(topic, fromMs);
    const ends = await at(topic, toMs);
    for (const { partition, low, high } of watermarks) {
      const { from = 0, to = Number.POSITIVE_INFINITY } = within?.(topic, partition) ?? {};
      const position = Math.max(Number(low), starts.get(partition) ?? 0, from);
      const end = Math.min(Number(high), ends.get(partition) ?? Number.POSITIVE_INFINITY, to);
      spans.push({ topic, partition, leader: leaders.get(partition) ?? -1, position, end });
    }
  }
  return spans;
}

/** A partition whose topic was just made, or whose leader moves, refuses for a moment. */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  const giveUpAtMs = performance.now() + LEADERS_WITHIN_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const { code } = toPortError(error, '');
      if (code !== 'DB_KAFKA_UNAVAILABLE' || performance.now() > giveUpAtMs) throw error;
      await delay(ASK_AGAIN_AFTER_MS);
    }
  }
}

async function read(consumer: Consumer, spans: readonly Span[], { onBatch }: ReadOptions): Promise<void> {
  const byPlace = new Map(spans.map((span) => [placeOf(span.topic, span.partition), span]));
  const emptyFetches = new Map<number, number>();
  let handlersFailure: HandlerFailure | undefined;
  const { promise, resolve, reject } = Promise.withResolvers<void>();

  const takeBatch = async (
    topic: string,
    partition: number,
    records: readonly ConsumedRecord[],
    highWatermark: number,
  ) => {
    const span = byPlace.get(placeOf(topic, partition));
    // Every rejoin starts over: what was read is read again, and left out here.
    const fresh = records.filter(({ offset }) => span !== undefined && offset >= span.position && offset < span.end);
    const last = fresh.at(-1);
    if (span === undefined || last === undefined) return;
    await onBatch({ topic, partition, records: fresh, nextOffset: last.offset + 1, highWatermark });
    span.position = last.offset + 1;
  };
  const { CRASH, END_BATCH_PROCESS, FETCH, GROUP_JOIN } = consumer.events;
  consumer.on(GROUP_JOIN, () => {
    emptyFetches.clear();
    for (const { topic, partition, position } of spans) consumer.seek({ topic, partition, offset: String(position) });
  });
  // Transaction markers are never handed to a handler, only counted here.
  consumer.on(END_BATCH_PROCESS, ({ payload: { topic, partition, lastOffset } }) => {
    const span = byPlace.get(placeOf(topic, partition));
    if (span === undefined) return;
    span.position = Math.max(span.position, Number(lastOffset) + 1);
    emptyFetches.delete(span.leader);
    if (spans.every(isRead)) resolve();
  });
  // A compacted topic may hold nothing before its end: then no batch ever says that the end is reached.
  consumer.on(FETCH, ({ payload: { nodeId } }) => {
    const leader = Number(nodeId);
    emptyFetches.set(leader, (emptyFetches.get(leader) ?? 0) + 1);
    const isOver = (span: Span) => isRead(span) || (emptyFetches.get(span.leader) ?? 0) > EMPTY_FETCHES;
    if (spans.every(isOver)) resolve();
  });
  consumer.on(CRASH, ({ payload: { error, restart } }) => {
    if (!restart) reject(error);
  });

  await consumer.subscribe({ topics: [...new Set(spans.map(({ topic }) => topic))], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch: { topic, partition, messages, highWatermark } }) => {
      const records = messages.map(toRecord);
      if (handlersFailure !== undefined) return;
      try {
        await takeBatch(topic, partition, records, Number(highWatermark));
      } catch (error) {
        // kafkajs would try the batch again, without end and without us hearing of it.
        handlersFailure = new HandlerFailure(error);
        reject(handlersFailure);
      }
    },
  });
  await promise;
}

const placeOf = (topic: string, partition: number) => `${topic}/${partition}`;
