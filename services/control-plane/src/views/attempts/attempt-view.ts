import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { KafkaSettings } from '@databridge/kernel/kafka/kafkajs/client';
import type { ConsumedBatch } from '@databridge/kernel/kafka/records';
import { TopicFollower } from '@databridge/kernel/kafka/tables/topic-follower';
import { type Attempt, decodeAttempts, placesOf } from '@databridge/schemas/records/attempts';
import { ATTEMPTS_TOPIC } from '@databridge/schemas/records/topics';
import { fairLevel } from '../shares.ts';

export interface AttemptQuery {
  readonly customer: string;
  readonly eventId?: string;
  readonly eventIdPrefix?: string;
  readonly outcome?: string;
  /** The time when the attempt began, ms since the epoch; `toMs` is exclusive. */
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly limit: number;
  /** Only attempts before that place: `place` of the last one seen. */
  readonly before?: string;
}

export interface EventQuery {
  readonly customer: string;
  /** Outcomes of the latest attempt. */
  readonly outcomes?: readonly string[];
  /** The time when the latest attempt began, ms since the epoch; `toMs` is exclusive. */
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly limit: number;
  /** Only those whose latest attempt is before that place. */
  readonly before?: string;
}

/** An event with its attempts, as far back as the view goes. */
export interface SeenEvent {
  /** Of its latest attempt. */
  readonly place: string;
  readonly last: Attempt;
  readonly attempts: number;
  readonly firstAtMs: number;
}

export interface SeenAttempt {
  /** In the attempt log, and so the same for every control plane: `<partition>/<offset>/<index in the record>`. */
  readonly place: string;
  readonly customer: string;
  readonly attempt: Attempt;
}

/** Attempts after a place, the oldest first. */
export interface MissedAttempts {
  readonly attempts: readonly SeenAttempt[];
  /** True if there are no others: the place is known here, and at most the limit came after it. */
  readonly isWhole: boolean;
}

export interface AttemptViewOptions {
  /**
   * The limit in units of 300 bytes; a longer attempt counts as several. Above it, the oldest attempts of the largest
   * customers are dropped.
   */
  readonly maxAttempts: number;
  /** The time span that it reads at the start, in ms. */
  readonly backMs: number;
  /** Attempts at erased events are omitted. If this is omitted, nothing was ever erased. */
  readonly isErased?: (attempt: Attempt) => boolean;
}

type Listener = (seen: SeenAttempt) => void;

/** Deleted together, so that not every new attempt deletes an old one. */
const SLACK = 1_000;
const USUAL_BYTES = 300;
/** Sorts after every id with a given beginning. */
const LAST_CHARACTER = '\u{10ffff}';

/**
 * The attempt log, searched by customer, event, outcome and time: a view in memory, read from the topic at each start.
 * Its size is limited and shared: a busy customer can displace its own attempts, but not those of customers with fewer.
 * Kafka stays the only store.
 */
export class AttemptView {
  readonly #database = new DatabaseSync(':memory:');
  readonly #follower: TopicFollower;
  readonly #maxAttempts: number;
  readonly #isErased: (attempt: Attempt) => boolean;
  readonly #listeners = new Set<Listener>();
  readonly #insert: ReturnType<DatabaseSync['prepare']>;
  readonly #log: KafkaSettings['log'];
  /** Sizes by customer, in units of {@link USUAL_BYTES}. */
  readonly #sizes = new Map<string, number>();
  #size = 0;
  #isCaughtUp = false;

  constructor(kafka: KafkaSettings, { maxAttempts, backMs, isErased }: AttemptViewOptions, nowMs: number) {
    this.#maxAttempts = maxAttempts;
    this.#isErased = isErased ?? (() => false);
    this.#log = kafka.log;
    this.#database.exec(`
      CREATE TABLE attempts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        customer TEXT NOT NULL, event_id TEXT NOT NULL, outcome TEXT NOT NULL, at INTEGER NOT NULL, attempt TEXT NOT NULL,
        size INTEGER NOT NULL, is_test INTEGER NOT NULL, place TEXT NOT NULL
      ) STRICT;
      CREATE INDEX by_customer ON attempts (customer, id);
      CREATE INDEX by_place ON attempts (place);
      -- Holds all that events are grouped by, so that grouping reads no row.
      CREATE INDEX by_event ON attempts (customer, event_id, id, outcome, at, is_test);
    `);
    this.#insert = this.#database.prepare(
      'INSERT INTO attempts (customer, event_id, outcome, at, attempt, size, is_test, place) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
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

  /** True if all attempts that were in the topic at the start are in the view. */
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
  find({ customer, eventId, eventIdPrefix, outcome, fromMs, toMs, limit, before }: AttemptQuery): SeenAttempt[] {
    const wanted: [string, SQLInputValue | undefined][] = [
      ['customer = ?', customer],
      ['event_id = ?', eventId],
      ['event_id >= ?', eventIdPrefix],
      ['event_id < ?', eventIdPrefix === undefined ? undefined : `${eventIdPrefix}${LAST_CHARACTER}`],
      ['outcome = ?', outcome],
      ['at >= ?', fromMs],
      ['at < ?', toMs],
      ['id < ?', before === undefined ? undefined : this.#idOf(before)],
    ];
    const asked = wanted.flatMap(([sql, value]) => (value === undefined ? [] : [{ sql, value }]));
    const where = asked.map(({ sql }) => sql).join(' AND ');
    const rows = this.#database
      .prepare(`SELECT place, attempt FROM attempts WHERE ${where} ORDER BY id DESC LIMIT ?`)
      .all(...asked.map(({ value }) => value), limit);
    return rows.map(({ place, attempt }) => seenOf(place, customer, attempt));
  }

  /**
   * The attempts after a place, for a client that has seen everything up to it. Those of one customer are complete,
   * whichever control plane gave the place; of several customers, others may have come before it there.
   * @param customer if omitted, all
   */
  since(after: string, { customer, limit }: { readonly customer?: string; readonly limit: number }): MissedAttempts {
    const id = this.#exactIdOf(after);
    if (id === undefined) return { attempts: [], isWhole: false };
    const rows = this.#database
      .prepare(
        `SELECT place, customer, attempt FROM attempts
         WHERE id > ? AND (? IS NULL OR customer = ?) ORDER BY id LIMIT ?`,
      )
      .all(id, customer ?? null, customer ?? null, limit + 1);
    const attempts = rows.slice(0, limit).map((row) => seenOf(row['place'], String(row['customer']), row['attempt']));
    return { attempts, isWhole: rows.length <= limit };
  }

  #exactIdOf(place: string): number | undefined {
    const row = this.#database.prepare('SELECT id FROM attempts WHERE place = ?').get(place);
    return row === undefined ? undefined : Number(row['id']);
  }

  /** A place that was dropped here is older than all known ones: nothing comes before it. */
  #idOf = (place: string): number => this.#exactIdOf(place) ?? 0;

  /** Events by their latest attempt, the newest first. Tests are none. */
  events({ customer, outcomes, fromMs, toMs, limit, before }: EventQuery): SeenEvent[] {
    const ofLatest: [string, readonly SQLInputValue[] | undefined][] = [
      ['last < ?', before === undefined ? undefined : [this.#idOf(before)]],
      [`outcome IN (${outcomes?.map(() => '?').join()})`, outcomes],
      ['at >= ?', fromMs === undefined ? undefined : [fromMs]],
      ['at < ?', toMs === undefined ? undefined : [toMs]],
    ];
    const asked = ofLatest.flatMap(([sql, values]) => (values === undefined ? [] : [{ sql, values }]));
    const having = asked.length === 0 ? '' : `HAVING ${asked.map(({ sql }) => sql).join(' AND ')}`;
    // SQLite takes `outcome` and `at` from the row with the maximum, as long as no other aggregate is selected.
    const rows = this.#database
      .prepare(
        `SELECT place, events.attempts, attempt,
           (SELECT MIN(at) FROM attempts WHERE customer = ? AND event_id = events.event_id AND is_test = 0) AS first_at
         FROM (
           SELECT MAX(id) AS last, event_id, outcome, at, COUNT(*) AS attempts
           FROM attempts WHERE customer = ? AND is_test = 0 GROUP BY event_id
           ${having} ORDER BY last DESC LIMIT ?
         ) AS events JOIN attempts ON attempts.id = events.last ORDER BY events.last DESC`,
      )
      .all(customer, customer, ...asked.flatMap(({ values }) => values), limit);
    return rows.map((row) => ({
      place: String(row['place']),
      last: JSON.parse(String(row['attempt'])) as Attempt,
      attempts: Number(row['attempts']),
      firstAtMs: Number(row['first_at']),
    }));
  }

  /** Removes the attempts of events that were erased since they came. Takes time in proportion to all attempts. */
  eraseAttempts(): void {
    const remove = this.#database.prepare('DELETE FROM attempts WHERE id = ?');
    const freed = new Map<string, number>();
    for (const row of this.#database.prepare('SELECT id, customer, size, attempt FROM attempts').all()) {
      if (!this.#isErased(JSON.parse(String(row['attempt'])) as Attempt)) continue;
      remove.run(Number(row['id']));
      const customer = String(row['customer']);
      freed.set(customer, (freed.get(customer) ?? 0) + Number(row['size']));
    }
    for (const [customer, size] of freed) this.#resize(customer, -size);
  }

  /** Calls back for each attempt from now on. @returns a function that ends it */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Adds records of the topic. A record that is not a batch of attempts, and an attempt that cannot be stored, is
   * skipped.
   */
  take({ partition, records }: Pick<ConsumedBatch, 'partition' | 'records'>): void {
    const seen: SeenAttempt[] = [];
    const sizes = new Map<string, number>();
    this.#database.exec('BEGIN');
    try {
      for (const { offset, value } of records) {
        const batch = value === null ? undefined : decodeAttempts(value);
        if (batch === undefined) continue;
        const { customer, attempts } = batch;
        const written = placesOf(batch, offset);
        for (const [index, attempt] of attempts.entries()) {
          const place = `${partition}/${written.offset}/${written.indexOf(index)}`;
          // What is left of a record after an erasure was mostly seen before.
          if (batch.insteadOf !== undefined && this.#exactIdOf(place) !== undefined) continue;
          this.#store({ place, customer, attempt }, seen, sizes);
        }
      }
      this.#database.exec('COMMIT');
    } catch (error) {
      // Some errors, such as a full memory, end the transaction by themselves.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
    for (const [customer, size] of sizes) this.#resize(customer, size);
    if (this.#size > this.#maxAttempts + SLACK) this.#forget();
    for (const one of seen) for (const listener of this.#listeners) listener(one);
  }

  #store(one: SeenAttempt, seen: SeenAttempt[], sizes: Map<string, number>): void {
    const { place, customer, attempt } = one;
    if (this.#isErased(attempt)) return;
    const { eventId, outcome, at, test } = attempt;
    const text = JSON.stringify(attempt);
    const size = Math.ceil(text.length / USUAL_BYTES);
    try {
      this.#insert.run(customer, eventId, outcome, Math.trunc(at), text, size, test ? 1 : 0, place);
      seen.push(one);
      sizes.set(customer, (sizes.get(customer) ?? 0) + size);
    } catch (error) {
      // SQLite undoes only that statement. Without a transaction the rest cannot continue.
      if (!this.#database.isTransaction) throw error;
      this.#log.warn({ event: 'attempt_not_stored', err: error, customer, eventId }, 'attempt not stored');
    }
  }

  /** Reduces the largest customers to the space that the others leave them. */
  #forget(): void {
    const level = fairLevel(this.#sizes.values(), this.#maxAttempts);
    const oldest = this.#database.prepare('SELECT id, size FROM attempts WHERE customer = ? ORDER BY id');
    const remove = this.#database.prepare('DELETE FROM attempts WHERE customer = ? AND id <= ?');
    for (const [customer, size] of [...this.#sizes]) {
      if (size <= level) continue;
      let freed = 0;
      let last = 0;
      for (const row of oldest.iterate(customer)) {
        if (size - freed <= level) break;
        freed += Number(row['size']);
        last = Number(row['id']);
      }
      remove.run(customer, last);
      this.#resize(customer, -freed);
    }
  }

  #resize(customer: string, by: number): void {
    const size = (this.#sizes.get(customer) ?? 0) + by;
    this.#size += by;
    if (size > 0) this.#sizes.set(customer, size);
    else this.#sizes.delete(customer);
  }
}

const seenOf = (place: unknown, customer: string, attempt: unknown): SeenAttempt => ({
  place: String(place),
  customer,
  attempt: JSON.parse(String(attempt)) as Attempt,
});
