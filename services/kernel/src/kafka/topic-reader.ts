import { Backoff, KAFKA_BACKOFF } from '../time/backoff.ts';
import { systemClock } from '../time/clock.ts';
import { pause } from '../time/pause.ts';
import { retry } from '../time/retry.ts';
import { KafkaPortError, toPortError } from './errors.ts';
import type { KafkaSettings } from './kafkajs/client.ts';
import { toRecord } from './kafkajs/consumed-record.ts';
import {
  createCluster,
  type FetchedPartition,
  type FetchResponse,
  RawBatch,
  type RawCluster,
  READ_COMMITTED,
} from './kafkajs/raw-cluster.ts';
import type { ConsumedBatch, ConsumedRecord } from './records.ts';

export interface ReadOptions {
  /** Only records appended at that time or later (ms since the epoch). */
  readonly fromMs?: number;
  /** Only records appended before that time. */
  readonly toMs?: number;
  /** Only records from offset `from` on, and before `to`; undefined: the whole partition. */
  within?(topic: string, partition: number): { readonly from?: number; readonly to?: number } | undefined;
  /**
   * Called in offset order within a partition; the batches of several partitions are mixed. The next batch waits for
   * it.
   */
  onBatch(batch: ConsumedBatch): void | Promise<void>;
}

interface Span {
  readonly topic: string;
  readonly partition: number;
  position: number;
  /** The high watermark at the time of the call, or an earlier bound that the caller gave. */
  readonly end: number;
}

const MAX_WAIT_MS = 100;
const PARTITION_BYTES = 1_048_576;
const FETCH_BYTES = 10_485_760;
const LEADERS_WITHIN_MS = 20_000;
/** A transaction that its producer left open is aborted after 10 s: the reader waits for its end. */
const PROGRESS_WITHIN_MS = 30_000;

/**
 * Reads topics from their start (or a time) to their end at the time of the call, then resolves. It is for operations
 * that read everything once; a `CompactedTable` or a `GroupConsumer` reads continually.
 *
 * The end is the high watermark of each partition. An empty answer ends a partition only if its broker looked and found
 * nothing up to that watermark, which is so where compaction left a hole at the end. A broker that throttles us answers
 * empty as well: it is asked again.
 * @throws {KafkaPortError} `DB_KAFKA_UNKNOWN_TOPIC` if a topic does not exist; an exception of `onBatch` ends the
 *   reading and is thrown
 */
export async function readTopics(
  settings: KafkaSettings,
  topics: readonly string[],
  options: ReadOptions,
): Promise<void> {
  const cluster = createCluster(settings, 'topic-reader');
  try {
    await cluster.connect();
    const spans = await patiently(() => spansOf(cluster, [...new Set(topics)], options));
    await readSpans(cluster, spans, options);
  } catch (error) {
    if (error instanceof HandlerFailure) throw error.cause;
    throw toPortError(error, `reading ${topics.join(', ')}`);
  } finally {
    await cluster.disconnect().catch(() => undefined);
  }
}

export async function readTopic(settings: KafkaSettings, topic: string, options: ReadOptions): Promise<void> {
  await readTopics(settings, [topic], options);
}

/** The same; a topic that does not exist counts as empty. */
export async function readTopicIfAny(settings: KafkaSettings, topic: string, options: ReadOptions): Promise<void> {
  try {
    await readTopic(settings, topic, options);
  } catch (error) {
    if (!(error instanceof KafkaPortError) || error.code !== 'DB_KAFKA_UNKNOWN_TOPIC') throw error;
  }
}

/** An exception of `onBatch`: it is the caller's own, not the port's. */
class HandlerFailure extends Error {
  constructor(cause: unknown) {
    super('onBatch failed', { cause });
  }
}

const isRead = ({ position, end }: Span) => position >= end;

async function spansOf(cluster: RawCluster, topics: readonly string[], options: ReadOptions): Promise<Span[]> {
  const { fromMs, toMs, within } = options;
  await cluster.addMultipleTargetTopics(topics);
  const partitionsOf = new Map(topics.map((topic) => [topic, cluster.findTopicPartitionMetadata(topic)]));
  for (const [topic, partitions] of partitionsOf) {
    if (partitions.length === 0) throw new KafkaPortError('DB_KAFKA_UNKNOWN_TOPIC', `there is no topic ${topic}`);
    const isLed = partitions.every(({ leader }) => leader >= 0);
    if (isLed) continue;
    await cluster.refreshMetadata();
    throw new KafkaPortError('DB_KAFKA_UNAVAILABLE', `a partition of ${topic} has no leader`);
  }
  const offsets = async (which: { fromBeginning?: boolean; fromTimestamp?: number }) => {
    const queries = topics.map((topic) => ({
      topic,
      partitions: (partitionsOf.get(topic) ?? []).map(({ partitionId }) => ({ partition: partitionId })),
      ...which,
    }));
    const found = await cluster.fetchTopicsOffset(queries);
    return new Map(
      found.flatMap(({ topic, partitions }) =>
        partitions.map(({ partition, offset }) => [placeOf(topic, partition), Number(offset)] as const),
      ),
    );
  };
  // Kafka interprets a negative time as one of its special offsets.
  const atTime = async (ms: number | undefined) =>
    ms === undefined ? undefined : await offsets({ fromTimestamp: Math.max(0, Math.ceil(ms)) });
  const [lows, highs, starts, ends] = [
    await offsets({ fromBeginning: true }),
    await offsets({ fromBeginning: false }),
    await atTime(fromMs),
    await atTime(toMs),
  ];
  const spans: Span[] = [];
  for (const place of lows.keys()) {
    const { topic, partition } = partOf(place);
    const [low, high] = [lows.get(place) ?? 0, highs.get(place) ?? 0];
    const { from = 0, to = Number.POSITIVE_INFINITY } = within?.(topic, partition) ?? {};
    // -1: nothing was appended at that time or later.
    const atOrEnd = (found: Map<string, number> | undefined, otherwise: number) => {
      const offset = found === undefined ? otherwise : (found.get(place) ?? -1);
      return offset < 0 ? high : offset;
    };
    const position = Math.max(low, atOrEnd(starts, low), from);
    spans.push({ topic, partition, position, end: Math.min(high, atOrEnd(ends, high), to) });
  }
  return spans;
}

/** A partition whose topic was just created, or whose leader moves, refuses requests for a moment. */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  return await retry(ask, {
    ...{ limits: KAFKA_BACKOFF, withinMs: LEADERS_WITHIN_MS },
    isRetryable: (error) => toPortError(error, '').code === 'DB_KAFKA_UNAVAILABLE',
  });
}

async function readSpans(cluster: RawCluster, spans: readonly Span[], options: ReadOptions): Promise<void> {
  let giveUpAtMs = systemClock.monotonicMs() + PROGRESS_WITHIN_MS;
  const backoff = new Backoff(KAFKA_BACKOFF);
  for (;;) {
    const open = spans.filter((span) => !isRead(span));
    if (open.length === 0) return;
    const before = open.reduce((sum, { position }) => sum + position, 0);
    try {
      await fetchOnce(cluster, open, options);
    } catch (error) {
      if (error instanceof HandlerFailure) throw error;
      const { code } = toPortError(error, '');
      // Records that retention deleted during the reading are skipped.
      if (isOutOfRange(error)) await skipDeleted(cluster, open);
      else if (code !== 'DB_KAFKA_UNAVAILABLE' || systemClock.monotonicMs() > giveUpAtMs) throw error;
      else {
        await pause(backoff.next());
        await cluster.refreshMetadata().catch(() => undefined);
      }
    }
    if (open.reduce((sum, { position }) => sum + position, 0) > before) {
      giveUpAtMs = systemClock.monotonicMs() + PROGRESS_WITHIN_MS;
      backoff.reset();
    } else if (systemClock.monotonicMs() > giveUpAtMs) {
      const left = open.filter((span) => !isRead(span)).map(({ topic, partition }) => placeOf(topic, partition));
      throw new KafkaPortError(
        'DB_KAFKA_UNAVAILABLE',
        `no broker answered for ${PROGRESS_WITHIN_MS / 1_000} s what ${left.join(', ')} holds up to its high watermark`,
      );
    }
  }
}

async function fetchOnce(cluster: RawCluster, open: readonly Span[], { onBatch }: ReadOptions): Promise<void> {
  const byLeader = Map.groupBy(open, ({ topic, partition }) => {
    const found = cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) => partitionId === partition);
    return found?.leader ?? -1;
  });
  for (const [leader, spans] of byLeader) {
    if (leader < 0) throw new KafkaPortError('DB_KAFKA_UNAVAILABLE', `${spans[0]?.topic} has no leader`);
    const broker = await cluster.findBroker({ nodeId: String(leader) });
    const topics = [...Map.groupBy(spans, ({ topic }) => topic)].map(([topic, of]) => ({
      topic,
      partitions: of.map(({ partition, position }) => ({
        partition,
        fetchOffset: String(position),
        maxBytes: PARTITION_BYTES,
      })),
    }));
    const response = await broker.fetch({
      ...{ isolationLevel: READ_COMMITTED, maxWaitTime: MAX_WAIT_MS, minBytes: 1, maxBytes: FETCH_BYTES },
      topics,
    });
    await take(response, spans, onBatch);
  }
}

async function take(response: FetchResponse, spans: readonly Span[], onBatch: ReadOptions['onBatch']): Promise<void> {
  const { throttleTime = 0, clientSideThrottleTime = 0 } = response;
  const throttledMs = Math.max(throttleTime, clientSideThrottleTime);
  const byPlace = new Map(spans.map((span) => [placeOf(span.topic, span.partition), span]));
  const empty: { readonly span: Span; readonly answer: FetchedPartition }[] = [];
  let isAnyFull = false;
  for (const { topicName: topic, partitions } of response.responses) {
    for (const answer of partitions) {
      const span = byPlace.get(placeOf(topic, answer.partition));
      if (span === undefined) continue;
      if (answer.messages.length === 0) empty.push({ span, answer });
      else {
        isAnyFull = true;
        await takePartition(span, answer, onBatch);
      }
    }
  }
  // An empty answer for a partition that had no room beside others says nothing; nor does one from a broker that
  // throttles.
  if (isAnyFull || throttledMs > 0) {
    if (!isAnyFull) await pause(Math.min(throttledMs, 1_000));
    return;
  }
  for (const { span, answer } of empty) {
    // Below the last stable offset no open transaction hides records: an empty answer means a hole.
    if (Number(answer.highWatermark) >= span.end && Number(answer.lastStableOffset) >= span.end)
      span.position = span.end;
  }
}

async function takePartition(span: Span, answer: FetchedPartition, onBatch: ReadOptions['onBatch']): Promise<void> {
  const { topic, partition } = span;
  const batch = new RawBatch(topic, String(span.position), answer);
  const records: ConsumedRecord[] = batch.messages
    .map(toRecord)
    .filter(({ offset }) => offset >= span.position && offset < span.end);
  const nextOffset = Number(batch.lastOffset()) + 1;
  const batchEnd = Math.max(span.position + (batch.isEmptyIncludingFiltered() ? 1 : 0), nextOffset);
  if (records.length > 0) {
    try {
      await onBatch({ topic, partition, records, nextOffset: batchEnd, highWatermark: Number(answer.highWatermark) });
    } catch (error) {
      throw new HandlerFailure(error);
    }
  }
  span.position = batchEnd;
}

function isOutOfRange(error: unknown): boolean {
  for (let e = error; e instanceof Error; e = e.cause) if ('type' in e && e.type === 'OFFSET_OUT_OF_RANGE') return true;
  return false;
}

async function skipDeleted(cluster: RawCluster, spans: readonly Span[]): Promise<void> {
  const queries = spans.map(({ topic, partition }) => ({ topic, partitions: [{ partition }], fromBeginning: true }));
  for (const query of queries) {
    const [found] = await cluster.fetchTopicsOffset([query]);
    for (const { partition, offset } of found?.partitions ?? []) {
      const span = spans.find((one) => one.topic === query.topic && one.partition === partition);
      if (span !== undefined) span.position = Math.max(span.position, Number(offset));
    }
  }
}

const placeOf = (topic: string, partition: number) => `${topic}/${partition}`;

function partOf(place: string): { topic: string; partition: number } {
  const at = place.lastIndexOf('/');
  return { topic: place.slice(0, at), partition: Number(place.slice(at + 1)) };
}
