import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { KafkaSettings } from '@databridge/kernel/kafka/kafkajs/client';
import type { ConsumedBatch } from '@databridge/kernel/kafka/records';
import { TopicFollower } from '@databridge/kernel/kafka/tables/topic-follower';
import { type Attempt, decodeAttempts } from '@databridge/schemas/records/attempts';
import { ATTEMPTS_TOPIC } from '@databridge/schemas/records/topics';

export interface AttemptQuery {
  readonly customer: string;
  readonly eventId?: string;
  readonly outcome?: string;
  /** Of when the attempt began, ms since the epoch; `toMs` exclusive. */
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly limit: number;
  /** Only those before that place: `id` of the last one seen. */
  readonly beforeId?: number;
}

/** An attempt and its place in the view: later ones have higher ids, in this process. */
export interface SeenAttempt {
  readonly id: number;
  readonly customer: string;
  readonly attempt: Attempt;
}

export interface AttemptViewOptions {
  /** The oldest are forgotten beyond that. About 300 bytes each. */
  readonly maxAttempts: number;
  /** How far back it reads at the start, ms. */
  readonly backMs: number;
}

type Listener = (seen: SeenAttempt) => void;

/** Deleted so many at once, so that each new attempt does not delete an old one. */
const SLACK = 1_000;

/**
 * The attempt log, asked by customer, event, outcome and time: a view in memory, made anew from the topic at each
 * start, bounded. Kafka stays the only store.
 */
export class AttemptView {
  readonly #database = new DatabaseSync(':memory:');
  readonly #follower: TopicFollower;
  readonly #maxAttempts: number;
  readonly #listeners = new Set<Listener>();
  readonly #insert: ReturnType<DatabaseSync['prepare']>;
  #count = 0;
  #isCaughtUp = false;

  constructor(kafka: KafkaSettings, { maxAttempts, backMs }: AttemptViewOptions, nowMs: number) {
    this.#maxAttempts = maxAttempts;
    this.#database.exec(`
      CREATE TABLE attempts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        customer TEXT NOT NULL, event_id TEXT NOT NULL, outcome TEXT NOT NULL, at INTEGER NOT NULL, attempt TEXT NOT NULL
      ) STRICT;
      CREATE INDEX by_customer ON attempts (customer, id);
      CREATE INDEX by_event ON attempts (customer, event_id, id);
    `);
    this.#insert = this.#database.prepare(
      'INSERT INTO attempts (customer, event_id, outcome, at, attempt) VALUES (?, ?, ?, ?, ?)',
    );
    this.#follower = new TopicFollower(kafka, {
      topic: ATTEMPTS_TOPIC,
      fromMs: nowMs - backMs,
      onBatch: (batch) => this.take(batch),
      onDrained: () => {
        this.#isCaughtUp = true;
      },
    });
  }

  /** Whether all that was in the topic at the start is in the view. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  async start(): Promise<void> {
    await this.#follower.start();
  }

  async stop(): Promise<void> {
    await this.#follower.stop();
    this.#listeners.clear();
    this.#database.close();
  }

  /** The newest first. */
  find({ customer, eventId, outcome, fromMs, toMs, limit, beforeId }: AttemptQuery): SeenAttempt[] {
    const wanted: [string, SQLInputValue | undefined][] = [
      ['customer = ?', customer],
      ['event_id = ?', eventId],
      ['outcome = ?', outcome],
      ['at >= ?', fromMs],
      ['at < ?', toMs],
      ['id < ?', beforeId],
    ];
    const asked = wanted.flatMap(([sql, value]) => (value === undefined ? [] : [{ sql, value }]));
    const where = asked.map(({ sql }) => sql).join(' AND ');
    const rows = this.#database
      .prepare(`SELECT id, attempt FROM attempts WHERE ${where} ORDER BY id DESC LIMIT ?`)
      .all(...asked.map(({ value }) => value), limit);
    return rows.map(({ id, attempt }) => ({
      id: Number(id),
      customer,
      attempt: JSON.parse(String(attempt)) as Attempt,
    }));
  }

  /** Each attempt from now on. @returns ends it */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What the topic brought. A record that is no batch of attempts is passed over. */
  take({ records }: Pick<ConsumedBatch, 'records'>): void {
    this.#database.exec('BEGIN');
    const seen: SeenAttempt[] = [];
    for (const { value } of records) {
      const batch = value === null ? undefined : decodeAttempts(value);
      if (batch === undefined) continue;
      for (const attempt of batch.attempts) {
        const { eventId, outcome, at } = attempt;
        const { lastInsertRowid } = this.#insert.run(
          batch.customer,
          eventId,
          outcome,
          Math.trunc(at),
          JSON.stringify(attempt),
        );
        seen.push({ id: Number(lastInsertRowid), customer: batch.customer, attempt });
      }
    }
    this.#count += seen.length;
    if (this.#count > this.#maxAttempts + SLACK) {
      const last = seen.at(-1)?.id ?? 0;
      this.#database.prepare('DELETE FROM attempts WHERE id <= ?').run(last - this.#maxAttempts);
      this.#count = this.#maxAttempts;
    }
    this.#database.exec('COMMIT');
    for (const one of seen) for (const listener of this.#listeners) listener(one);
  }
}
