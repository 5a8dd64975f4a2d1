/** Finds every record that contains the events of one call, in all topics of all customers. */
import { KafkaPortError } from '@databridge/kernel/kafka/errors';
import type { ConsumedBatch, ConsumedRecord } from '@databridge/kernel/kafka/records';
import { readTopicIfAny, readTopics } from '@databridge/kernel/kafka/topic-reader';
import { eventDigest } from '@databridge/schemas/privacy/erasures';
import { attemptsKey } from '@databridge/schemas/records/attempts';
import { eventIdOf, formatSource, HEADER, headerText, readDeliveryHeaders } from '@databridge/schemas/records/headers';
import { identified } from '@databridge/schemas/records/identity';
import { ATTEMPTS_TOPIC, QUARANTINE_TOPIC } from '@databridge/schemas/records/topics';
import type { ControlPlaneContext } from '../context.ts';
import { AttemptSearch } from './attempt-search.ts';
import { type Copy, hasOwnKey, isAttempts } from './copy.ts';

type Context = Pick<ControlPlaneContext, 'kafka' | 'admin' | 'watermarks' | 'events' | 'intakeTopics'>;
type OnProgress = (done: number, total: number) => Promise<void>;

/** Topics that are read at the same time. */
const AT_ONCE = 64;

/**
 * An event belongs to the call if a value of its document, its key or its event id equals the request id; all its
 * copies belong to the call too. A record that can't be decoded belongs to it if its bytes contain the request id.
 */
export class CallSearch {
  readonly #context: Context;
  readonly #requestId: string;
  readonly #needle: Buffer;
  readonly #events: Set<string>;
  /** Maps each topic to its copies by place, since a record may be read twice. */
  readonly #copies = new Map<string, Map<string, Copy>>();
  readonly #found = new Set<string>();
  /** Maps each partition to the offset where the next search begins. */
  readonly #positions = new Map<string, number>();
  readonly #attempts: AttemptSearch;
  readonly #fromMs: number | undefined;
  /** True if digests are compared: the bytes of some event's copies need not contain the request id. */
  #asksDigests: boolean;

  /**
   * @param known digests of events that belong to the call
   * @param fromMs only records that the broker took then or later, in ms since the epoch; left out: all
   */
  constructor(
    context: Context,
    requestId: string,
    { known = [], fromMs }: { readonly known?: Iterable<string>; readonly fromMs?: number | undefined } = {},
  ) {
    this.#context = context;
    this.#requestId = requestId;
    this.#needle = Buffer.from(requestId);
    this.#events = new Set(known);
    this.#asksDigests = this.#events.size > 0;
    this.#fromMs = fromMs;
    this.#attempts = new AttemptSearch(this.#events);
  }

  /** The {@link eventDigest} of each event, the known ones included. */
  get events(): ReadonlySet<string> {
    return this.#events;
  }

  /** All topics in which a copy was found. */
  get topics(): readonly string[] {
    return [...this.#found];
  }

  /** Copies by topic, without those that are {@link gone}. */
  get copies(): ReadonlyMap<string, readonly Copy[]> {
    return new Map([...this.#copies].map(([topic, copies]) => [topic, [...copies.values()]]));
  }

  gone({ topic, partition, offset }: Copy): void {
    const copies = this.#copies.get(topic);
    copies?.delete(`${partition}/${offset}`);
    if (copies?.size === 0) this.#copies.delete(topic);
  }

  /**
   * Reads the records since the previous call; at the first call, all.
   * @param onProgress called after some topics, with the number read and the total
   */
  async advance(onProgress: OnProgress = async () => undefined): Promise<void> {
    const { admin, intakeTopics } = this.#context;
    const existing = await admin.listTopics();
    for (const topic of this.#copies.keys()) if (!existing.includes(topic)) this.#copies.delete(topic);
    const own = existing.filter((topic) => topic.startsWith('delivery.') && !intakeTopics.has(topic));
    // Only the record at the intake has the producer's key: what is found by it is known before the copies are read.
    const sources = existing.filter((topic) => intakeTopics.has(topic) || topic === QUARANTINE_TOPIC);
    const groups = [await this.#withNews(sources), await this.#withNews(own), await this.#withNews([ATTEMPTS_TOPIC])];
    let done = 0;
    for (const topics of groups) {
      for (let from = 0; from < topics.length; from += AT_ONCE) {
        const some = topics.slice(from, from + AT_ONCE);
        await this.#read(some);
        done += some.length;
        await onProgress(done, groups.flat().length);
      }
    }
  }

  /** Returns the topics with new records: most have none, and three requests to each broker find that out. */
  async #withNews(topics: readonly string[]): Promise<string[]> {
    const ends = await this.#context.watermarks(topics);
    return [...ends].flatMap(([topic, partitions]) => {
      const hasNews = partitions.some(
        ({ partition, low, high }) => high > Math.max(low, this.#positions.get(`${topic}/${partition}`) ?? 0),
      );
      return hasNews ? [topic] : [];
    });
  }

  async #read(topics: readonly string[]): Promise<void> {
    await readExisting(this.#context.kafka, topics, {
      ...(this.#fromMs !== undefined && { fromMs: this.#fromMs }),
      within: (topic, partition) => ({ from: this.#positions.get(`${topic}/${partition}`) ?? 0 }),
      onBatch: (batch) => this.#take(batch),
    });
  }

  async #take({ topic, partition, records, nextOffset }: ConsumedBatch): Promise<void> {
    for (const record of records) {
      if (record.value === null) continue;
      const copy = isAttempts(topic) ? this.#attemptsIn(record) : await this.#copyIn(topic, partition, record);
      if (copy === undefined) continue;
      const { offset, key, timestampMs } = record;
      const copies = this.#copies.get(topic) ?? new Map<string, Copy>();
      copies.set(`${partition}/${offset}`, { topic, partition, offset, key, timestampMs, ...copy });
      this.#copies.set(topic, copies);
      this.#found.add(topic);
    }
    this.#positions.set(`${topic}/${partition}`, nextOffset);
  }

  async #copyIn(
    topic: string,
    partition: number,
    record: ConsumedRecord,
  ): Promise<Pick<Copy, 'digest' | 'replayId' | 'hasOwnKey'> | undefined> {
    // The bytes are asked first: few records are decoded, or their names made out.
    const isQuoted = record.value?.includes(this.#needle) ?? false;
    const isNamed = record.key?.equals(this.#needle) || headerText(record.headers, HEADER.eventId) === this.#requestId;
    if (!isQuoted && !isNamed && !this.#asksDigests) return undefined;
    const { eventId, eventType, source, replayId } = this.#namesOf(topic, partition, record);
    const digest = eventDigest({ eventId, source });
    const isOfCall = isNamed || this.#events.has(digest) || (isQuoted && (await this.#isIn(record.value, eventType)));
    if (!isOfCall) return undefined;
    if (!isQuoted) this.#asksDigests = true;
    this.#events.add(digest);
    this.#attempts.knows(digest, eventId);
    return { digest, hasOwnKey: hasOwnKey(topic, record), ...(replayId !== undefined && { replayId }) };
  }

  async #isIn(value: Buffer | null, eventType: string): Promise<boolean> {
    const rendered = await this.#context.events.render(eventType, value);
    return 'unreadable' in rendered || containsValue(rendered.event, this.#requestId);
  }

  #attemptsIn({ offset, key, value }: ConsumedRecord): Pick<Copy, 'digest' | 'rest' | 'hasOwnKey'> | undefined {
    const rest = value === null ? undefined : this.#attempts.restOf(value, offset);
    return rest === undefined ? undefined : { digest: '', rest, hasOwnKey: attemptsKey(key).isUnique };
  }

  #namesOf(topic: string, partition: number, record: ConsumedRecord) {
    const eventType = this.#context.intakeTopics.get(topic);
    if (eventType === undefined) {
      return identified(readDeliveryHeaders(record.headers), { topic, partition, offset: record.offset });
    }
    const source = formatSource(topic, partition, record.offset);
    return { eventId: eventIdOf(record, eventType), eventType, source, replayId: undefined };
  }
}

/** Reads topics; one that is deleted meanwhile, with its customer, is passed over. */
export async function readExisting(
  kafka: Context['kafka'],
  topics: readonly string[],
  options: Parameters<typeof readTopics>[2],
): Promise<void> {
  try {
    await readTopics(kafka, topics, options);
  } catch (error) {
    if (!(error instanceof KafkaPortError) || error.code !== 'DB_KAFKA_UNKNOWN_TOPIC') throw error;
    for (const topic of topics) await readTopicIfAny(kafka, topic, options);
  }
}

/** Tells whether any value in the document equals the text. A text that contains it belongs to another call. */
function containsValue(document: unknown, text: string): boolean {
  if (typeof document !== 'object' || document === null) return document === text;
  return Object.values(document).some((value) => containsValue(value, text));
}
