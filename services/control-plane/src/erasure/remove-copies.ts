/** Makes Kafka remove the bytes of erased records by compaction: docs/decisions/erasure.md has the reasons and the limits. */

import { KafkaPortError } from '@databridge/kernel/kafka/errors';
import { keyOf, type ProducedRecord } from '@databridge/kernel/kafka/records';
import { keptByReplicas } from '@databridge/kernel/kafka/replica-reader';
import { systemClock } from '@databridge/kernel/time/clock';
import { pause } from '@databridge/kernel/time/pause';
import { tombstoneHeaders } from '@databridge/schemas/privacy/erasures';
import { customerOfTopic } from '@databridge/schemas/records/topics';
import type { ControlPlaneContext } from '../context.ts';
import type { Run } from '../operations/run.ts';
import type { CallSearch } from './call-search.ts';
import { CompactionSettings } from './compaction-settings.ts';
import { type Copy, isAttempts, isLane, isLetters } from './copy.ts';
import { attemptsDanger, laneDanger } from './lane-danger.ts';
import type { KeptReason } from './receipt.ts';

export interface RemovalTimes {
  /** After this time, writes that were in flight at the erasure have ended: a produce request takes at most 30 s. */
  readonly settledAfterMs: number;
  /** The first round waits for compaction this long; each further one waits twice as long as the one before. */
  readonly compactedWithinMs: number;
  /** No round begins after this time. */
  readonly giveUpAfterMs: number;
}

const REMOVAL_TIMES: RemovalTimes = {
  settledAfterMs: 30_000,
  compactedWithinMs: 60_000,
  giveUpAfterMs: 600_000,
};

/** Longer than `segment.ms` of the settings that begin a segment, by the time that brokers need to learn of them. */
const ROLLED_AFTER_MS = 2_000;
const ASK_EVERY_MS = 500;

type Context = Pick<ControlPlaneContext, 'kafka' | 'admin' | 'producer' | 'erasures'>;

export interface RemovedCopies {
  /** Records whose bytes are gone. */
  readonly removed: number;
  /** Topics whose copies stay, with the reason. */
  readonly kept: ReadonlyMap<string, KeptReason>;
}

/** Removals run one at a time: two would mistake each other's settings for the original ones. */
let turn: Promise<unknown> = Promise.resolve();

/**
 * Removes the copies that the search finds, until none is left and all writes that were in flight at the time of the
 * call have ended. Copies that can't be removed stay, with the reason.
 */
export async function removeCopies(
  context: Context,
  search: CallSearch,
  run: Run,
  times: RemovalTimes = REMOVAL_TIMES,
): Promise<RemovedCopies> {
  const removal = new Removal(context, search, run, times);
  const mine = turn.then(() => removal.run());
  turn = mine.catch(() => undefined);
  return await mine;
}

/**
 * A round of removal, for all topics with copies at once:
 *
 *     tombstones ─▶ new segment ─▶ no record is in danger? ─▶ compaction on ─▶ copies gone ─▶ compaction off
 *
 * Kafka never compacts the newest segment. A new one begins before the older ones are checked and compacted: so no
 * record is compacted that was not checked.
 */
class Removal {
  readonly #context: Context;
  readonly #search: CallSearch;
  readonly #run: Run;
  readonly #times: RemovalTimes;
  readonly #settings: CompactionSettings;
  readonly #kept = new Map<string, KeptReason>();
  readonly #beganAtMs = systemClock.monotonicMs();
  #removed = 0;

  constructor(context: Context, search: CallSearch, run: Run, times: RemovalTimes) {
    this.#context = context;
    this.#search = search;
    this.#run = run;
    this.#times = times;
    this.#settings = new CompactionSettings(context.admin, run);
  }

  async run(): Promise<RemovedCopies> {
    const { settledAfterMs, compactedWithinMs, giveUpAfterMs } = this.#times;
    await this.#settings.restoreNoted();
    for (let withinMs = compactedWithinMs; ; ) {
      await this.#search.advance();
      const left = this.#removable();
      const elapsedMs = systemClock.monotonicMs() - this.#beganAtMs;
      if (left.size === 0) {
        if (elapsedMs >= settledAfterMs) break;
        await this.#wait(settledAfterMs - elapsedMs, 'waiting for writes that were under way');
      } else if (elapsedMs > giveUpAfterMs) {
        for (const topic of left.keys()) this.#kept.set(topic, 'time-out');
        break;
      } else {
        await this.#round(left, withinMs);
        withinMs *= 2;
      }
    }
    return { removed: this.#removed, kept: this.#kept };
  }

  /** @returns copies by topic; notes why others stay */
  #removable(): Map<string, readonly Copy[]> {
    const left = new Map<string, readonly Copy[]>();
    for (const [topic, copies] of this.#search.copies) {
      if (this.#kept.has(topic)) continue;
      if (!isLane(topic) && !isLetters(topic) && !isAttempts(topic)) this.#kept.set(topic, 'intake');
      else if (copies.some(({ hasOwnKey }) => !hasOwnKey)) this.#kept.set(topic, 'earlier-version');
      else left.set(topic, copies);
    }
    return left;
  }

  async #round(copies: ReadonlyMap<string, readonly Copy[]>, withinMs: number): Promise<void> {
    try {
      await this.#settings.remember([...copies.keys()]);
      const rolling = await this.#among(copies, (topic) => this.#set(topic, 'roll'));
      await this.#bury([...rolling.values()].flat());
      await this.#wait(ROLLED_AFTER_MS, 'waiting for new segments');
      await this.#bury(onePerPartition([...rolling.values()].flat()));
      const safe = await this.#among(rolling, (topic) => this.#checkSafe(topic));
      const compacting = await this.#among(safe, (topic) => this.#set(topic, 'compact'));
      await this.#untilGone([...compacting.values()].flat(), withinMs);
    } finally {
      await this.#settings.restore();
    }
  }

  async #among(
    copies: ReadonlyMap<string, readonly Copy[]>,
    isWanted: (topic: string) => Promise<boolean>,
  ): Promise<Map<string, readonly Copy[]>> {
    const wanted = new Map<string, readonly Copy[]>();
    for (const [topic, of] of copies) if (await isWanted(topic)) wanted.set(topic, of);
    return wanted;
  }

  async #set(topic: string, stage: 'roll' | 'compact'): Promise<boolean> {
    try {
      await this.#settings.set(topic, stage);
      return true;
    } catch (error) {
      if (!(error instanceof KafkaPortError) || error.retryable) throw error;
      // Of a customer that was deleted meanwhile, the next search says so.
      if (error.code !== 'DB_KAFKA_UNKNOWN_TOPIC') this.#kept.set(topic, 'refused');
      return false;
    }
  }

  /** Notes why a topic may not be compacted. Those of letters always may: they are compacted at any time. */
  async #checkSafe(topic: string): Promise<boolean> {
    if (isLetters(topic)) return true;
    const danger = isAttempts(topic)
      ? await attemptsDanger(this.#context, topic)
      : await laneDanger(this.#context, customerOfTopic(topic) ?? '', topic);
    if (danger !== undefined) this.#kept.set(topic, danger);
    return danger === undefined;
  }

  /** Writes a tombstone for each copy, or the remainder of its record. */
  async #bury(copies: readonly Copy[]): Promise<void> {
    const tombstones = copies.map(({ topic, partition, key, digest, rest, replayId, timestampMs }): ProducedRecord => {
      const headers = tombstoneHeaders({
        ...{ digest, writtenAtMs: timestampMs },
        ...(replayId !== undefined && { replayId }),
      });
      return { topic, partition, key, value: rest ?? null, ...(isLane(topic) && { headers }) };
    });
    if (tombstones.length > 0) await this.#context.producer.send(tombstones);
  }

  async #untilGone(copies: readonly Copy[], withinMs: number): Promise<void> {
    const giveUpAtMs = systemClock.monotonicMs() + withinMs;
    // One of each partition at a time: while the first is there, the others need not be asked for.
    const queues = [...Map.groupBy(copies, keyOf).values()];
    for (;;) {
      const first = queues.flatMap((queue) => queue[0] ?? []);
      if (first.length === 0) return;
      const present = await presentAmong(this.#context, first);
      for (const copy of first.filter((one) => !present.has(one))) {
        this.#search.gone(copy);
        this.#removed++;
        queues.find((queue) => queue[0] === copy)?.shift();
      }
      if (present.size < first.length) continue;
      if (systemClock.monotonicMs() > giveUpAtMs) return;
      await this.#wait(ASK_EVERY_MS, 'waiting for Kafka to compact');
    }
  }

  async #wait(delayMs: number, step: string): Promise<void> {
    await this.#run.reportProgress(this.#removed, { step });
    await pause(delayMs, { signal: this.#run.signal });
    this.#run.signal.throwIfAborted();
  }
}

function onePerPartition(copies: readonly Copy[]): Copy[] {
  return [...new Map(copies.map((copy) => [keyOf(copy), copy])).values()];
}

/** @returns the copies that some replica still contains */
async function presentAmong(
  { admin, kafka }: Pick<Context, 'admin' | 'kafka'>,
  copies: readonly Copy[],
): Promise<ReadonlySet<Copy>> {
  // A customer may be deleted meanwhile.
  const existing = new Set(await admin.listTopics());
  return await keptByReplicas(
    kafka,
    copies.filter(({ topic }) => existing.has(topic)),
  );
}
