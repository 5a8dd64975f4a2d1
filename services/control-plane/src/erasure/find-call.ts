/** Finds every record that holds the events of one call, in all topics of all customers. */
import { KafkaPortError } from '@databridge/kernel/kafka/errors';
import type { ConsumedBatch, ConsumedRecord } from '@databridge/kernel/kafka/records';
import { readTopicIfAny, readTopics } from '@databridge/kernel/kafka/topic-reader';
import { eventDigest } from '@databridge/schemas/privacy/erasures';
import { eventIdOf, formatSource, readDeliveryHeaders } from '@databridge/schemas/records/headers';
import { identified } from '@databridge/schemas/records/identity';
import { QUARANTINE_TOPIC } from '@databridge/schemas/records/topics';
import type { ControlPlaneContext } from '../context.ts';

export interface FoundTopic {
  readonly topic: string;
  readonly copies: number;
  /** When the broker took the newest of them, ms since the epoch. */
  readonly newestAtMs: number;
}

export interface FoundCall {
  /** {@link eventDigest} of each event. */
  readonly events: ReadonlySet<string>;
  readonly topics: readonly FoundTopic[];
}

type Context = Pick<ControlPlaneContext, 'kafka' | 'admin' | 'events' | 'intakeTopics'>;

/** Topics that are read at the same time. */
const AT_ONCE = 64;

/**
 * An event belongs to the call if a value of its document, its key or its event id is the request id. What can't be
 * decoded belongs to it if its bytes contain the request id.
 * @param onProgress after some topics: how many are read, and of how many
 */
export async function findCall(
  context: Context,
  requestId: string,
  onProgress: (done: number, total: number) => Promise<void>,
): Promise<FoundCall> {
  const existing = await context.admin.listTopics();
  const topics = existing.filter(
    (topic) => context.intakeTopics.has(topic) || topic === QUARANTINE_TOPIC || topic.startsWith('delivery.'),
  );
  const call = new Call(context, requestId);
  for (let from = 0; from < topics.length; from += AT_ONCE) {
    const some = topics.slice(from, from + AT_ONCE);
    await readExisting(context.kafka, some, (batch) => call.take(batch));
    await onProgress(from + some.length, topics.length);
  }
  return call.found();
}

/** Customers may be deleted meanwhile. */
async function readExisting(
  kafka: Context['kafka'],
  topics: readonly string[],
  onBatch: (batch: ConsumedBatch) => Promise<void>,
): Promise<void> {
  try {
    await readTopics(kafka, topics, { onBatch });
  } catch (error) {
    if (!(error instanceof KafkaPortError) || error.code !== 'DB_KAFKA_UNKNOWN_TOPIC') throw error;
    for (const topic of topics) await readTopicIfAny(kafka, topic, { onBatch });
  }
}

class Call {
  readonly #context: Context;
  readonly #requestId: string;
  readonly #needle: Buffer;
  readonly #events = new Set<string>();
  /** Topic → when the broker took each copy, by place: a topic may be read twice. */
  readonly #copies = new Map<string, Map<string, number>>();

  constructor(context: Context, requestId: string) {
    this.#context = context;
    this.#requestId = requestId;
    this.#needle = Buffer.from(requestId);
  }

  async take({ topic, partition, records }: ConsumedBatch): Promise<void> {
    for (const record of records) {
      const { eventId, eventType, source } = this.#namesOf(topic, partition, record);
      if (!(await this.#isOfCall(eventId, eventType, record))) continue;
      this.#events.add(eventDigest({ eventId, source }));
      const copies = this.#copies.get(topic) ?? new Map<string, number>();
      copies.set(`${partition}/${record.offset}`, record.timestampMs);
      this.#copies.set(topic, copies);
    }
  }

  found(): FoundCall {
    const topics = [...this.#copies].map(([topic, copies]) => ({
      ...{ topic, copies: copies.size, newestAtMs: Math.max(...copies.values()) },
    }));
    return { events: this.#events, topics };
  }

  #namesOf(topic: string, partition: number, record: ConsumedRecord) {
    const eventType = this.#context.intakeTopics.get(topic);
    if (eventType === undefined) {
      return identified(readDeliveryHeaders(record.headers), { topic, partition, offset: record.offset });
    }
    const source = formatSource(topic, partition, record.offset);
    return { eventId: eventIdOf(record, eventType), eventType, source };
  }

  async #isOfCall(eventId: string, eventType: string, { key, value }: ConsumedRecord): Promise<boolean> {
    if (value === null) return false;
    if (eventId === this.#requestId || key?.equals(this.#needle)) return true;
    // The bytes are asked first: few records are decoded.
    if (!value.includes(this.#needle)) return false;
    const rendered = await this.#context.events.render(eventType, value);
    return 'unreadable' in rendered || containsValue(rendered.event, this.#requestId);
  }
}

/** Whether it is a value anywhere in the document. A text that only mentions it is of another call. */
function containsValue(document: unknown, text: string): boolean {
  if (typeof document !== 'object' || document === null) return document === text;
  return Object.values(document).some((value) => containsValue(value, text));
}
