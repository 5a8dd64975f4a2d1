/** Stores the sessions of the portal in a compacted topic that every control plane reads. */
import type { KafkaSettings } from '@databridge/kernel/kafka/kafkajs/client';
import type { RecordProducer } from '@databridge/kernel/kafka/records';
import { CompactedTable } from '@databridge/kernel/kafka/tables/compacted-table';
import { decodeSession, encodeSession, type SessionRecord } from '@databridge/schemas/records/sessions';
import { SESSIONS_TOPIC } from '@databridge/schemas/records/topics';
import { within } from '../within.ts';

const READ_WITHIN_MS = 10_000;

export interface SessionStore {
  get(id: string): SessionRecord | undefined;
  entries(): Iterable<[id: string, SessionRecord]>;
  /** Resolves once everything that was written before the call can be read. */
  refreshed(): Promise<void>;
  /** @param record undefined to end the session. Resolves once it can be read here. */
  write(id: string, record: SessionRecord | undefined): Promise<void>;
}

export class KafkaSessionStore implements SessionStore {
  readonly #table: CompactedTable<SessionRecord>;
  readonly #producer: RecordProducer;

  constructor(kafka: KafkaSettings, producer: RecordProducer) {
    this.#producer = producer;
    this.#table = new CompactedTable(kafka, {
      topic: SESSIONS_TOPIC,
      maxWaitMs: 200,
      decode: (_id, value) => decodeSession(value),
    });
  }

  async start(): Promise<void> {
    await this.#table.start();
    await this.#table.caughtUp();
  }

  async stop(): Promise<void> {
    await this.#table.stop();
  }

  get(id: string): SessionRecord | undefined {
    return this.#table.get(id);
  }

  entries(): Iterable<[string, SessionRecord]> {
    return this.#table.entries();
  }

  /** @throws {KafkaPortError} `DB_KAFKA_UNAVAILABLE` */
  async refreshed(): Promise<void> {
    await within(READ_WITHIN_MS, this.#table.refreshed(), 'read the sessions to their end');
  }

  /** @throws {KafkaPortError} `DB_KAFKA_UNAVAILABLE` */
  async write(id: string, record: SessionRecord | undefined): Promise<void> {
    const value = record === undefined ? null : encodeSession(record);
    await this.#producer.send([{ topic: SESSIONS_TOPIC, key: id, value }]);
    await this.refreshed();
  }
}

/** For an API without Kafka: sessions end with the process. */
export class MemorySessionStore extends Map<string, SessionRecord> implements SessionStore {
  async refreshed(): Promise<void> {}

  async write(id: string, record: SessionRecord | undefined): Promise<void> {
    if (record === undefined) this.delete(id);
    else this.set(id, record);
  }
}
