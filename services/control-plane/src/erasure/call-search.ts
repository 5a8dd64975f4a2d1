/** Finds every record that holds the events of one call, in all topics of all customers. */
import { KafkaPortError } from '@databridge/kernel/kafka/errors';
import type { ConsumedBatch, ConsumedRecord } from '@databridge/kernel/kafka/records';
import { readTopicIfAny, readTopics } from '@databridge/kernel/kafka/topic-reader';
import { eventDigest } from '@databridge/schemas/privacy/erasures';
import { attemptsKey } from '@databridge/schemas/records/attempts';
import { eventIdOf, formatSource, readDeliveryHeaders } from '@databridge/schemas/records/headers';
import { copyKeyOf, identified } from '@databridge/schemas/records/identity';
import { ATTEMPTS_TOPIC, QUARANTINE_TOPIC } from '@databridge/schemas/records/topics';
import type { ControlPlaneContext } from '../context.ts';
import { AttemptSearch } from './attempt-search.ts';
import { type Copy, isAttempts, isLane } from './copy.ts';

type Context = Pick<ControlPlaneContext, 'kafka' | 'admin' | 'watermarks' | 'events' | 'intakeTopics'>;
type OnProgress = (done: number, total: number) => Promise<void>;

/** Topics that are read at the same time. */
const AT_ONCE = 64;

/**
 * An event belongs to the call if a value of its document, its key or its event id is the request id; with it, all its
 * copies do. What can't be decoded belongs to it if its bytes contain the request id.
 */
export class CallSearch {
  readonly #context: Context;
  readonly #requestId: string;
  readonly #needle: Buffer;
  readonly #events: Set<string>;
  /** Topic → copies by place: a record may be read twice. */
  readonly #copies = new Map<string, Map<string, Copy>>();
  readonly #found = new Set<string>();
  /** Place of a partition → where the next search begins. */
  readonly #positions = new Map<string, number>();
  readonly #foreignKeys = new Set<string>();
  readonly #attempts: AttemptSearch;

  /** @param known digests of events that belong to it */
  constructor(context: Context, requestId: string, known: Iterable<string> = []) {
    this.#context = context;
    this.#requestId = requestId;
    this.#needle = Buffer.from(requestId);
    this.#events = new Set(known);
    this.#attempts = new AttemptSearch(this.#events);
  }

  /** {@link eventDigest} of each event, the known ones included. */
  get events(): ReadonlySet<string> {
    return this.#events;
  }

  /** All that ever held a copy. */
  get topics(): readonly string[] {
    return [...this.#found];
  }

  /** Copies that are not {@link gone}, by topic. */
  get copies(): ReadonlyMap<string, readonly Copy[]> {
    return new Map([...this.#copies].map(([topic, copies]) => [topic, [...copies.values()]]));
  }

  gone({ topic, partition, offset }: Copy): void {
    const copies = this.#copies.get(topic);
    copies?.delete(`${partition}/${offset}`);
    if (copies?.size === 0) this.#copies.delete(topic);
  }

  /** Whether all records of a lane, or of the attempt log, have keys of their own: those of earlier versions have not. */
  hasOwnKeys(topic: string): boolean {
    return !this.#foreignKeys.has(topic);
  }

  /**
   * Reads what came since the call before; at the first one, everything.
   * @param onProgress after some topics: how many are read, and of how many
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

  /** Most topics hold nothing new, or nothing at all: three requests to each broker find that out. */
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
  ): Promise<Pick<Copy, 'digest' | 'replayId'> | undefined> {
    const { eventId, eventType, source, replayId } = this.#namesOf(topic, partition, record);
    if (!(await this.#isOfCall({ eventId, eventType, source }, record))) return undefined;
    const digest = eventDigest({ eventId, source });
    this.#events.add(digest);
    this.#attempts.knows(digest, eventId);
    return { digest, ...(replayId !== undefined && { replayId }) };
  }

  #attemptsIn({ offset, key, value }: ConsumedRecord): Pick<Copy, 'digest' | 'rest'> | undefined {
    if (!attemptsKey(key).isUnique) this.#foreignKeys.add(ATTEMPTS_TOPIC);
    const rest = value === null ? undefined : this.#attempts.restOf(value, offset);
    return rest === undefined ? undefined : { digest: '', rest };
  }

  #namesOf(topic: string, partition: number, record: ConsumedRecord) {
    const eventType = this.#context.intakeTopics.get(topic);
    if (eventType === undefined) {
      const facts = identified(readDeliveryHeaders(record.headers), { topic, partition, offset: record.offset });
      // Tests are no events: whether one is compacted away makes no difference.
      const isEvent = isLane(topic) && facts.testWithinMs === undefined;
      if (isEvent && record.key?.toString('utf8') !== copyKeyOf(facts)) this.#foreignKeys.add(topic);
      return facts;
    }
    const source = formatSource(topic, partition, record.offset);
    return { eventId: eventIdOf(record, eventType), eventType, source, replayId: undefined };
  }

  async #isOfCall(
    named: { readonly eventId: string; readonly eventType: string; readonly source?: string | undefined },
    { key, value }: ConsumedRecord,
  ): Promise<boolean> {
    if (value === null) return false;
    if (named.eventId === this.#requestId || key?.equals(this.#needle)) return true;
    if (this.#events.size > 0 && this.#events.has(eventDigest(named))) return true;
    // The bytes are asked first: few records are decoded.
    if (!value.includes(this.#needle)) return false;
    const rendered = await this.#context.events.render(named.eventType, value);
    return 'unreadable' in rendered || holds(rendered.event, this.#requestId);
  }
}

/** Customers may be deleted meanwhile. */
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

/** Whether it is a value anywhere in the document. A text that only mentions it is of another call. */
function holds(document: unknown, text: string): boolean {
  if (typeof document !== 'object' || document === null) return document === text;
  return Object.values(document).some((value) => holds(value, text));
}
