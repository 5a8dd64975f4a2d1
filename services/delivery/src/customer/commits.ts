import { messageOf } from '@databridge/kernel/errors';
import type { LaneGroup } from '@databridge/kernel/kafka/lane-reader/lane-group';
import { type CommittedOffset, keyOf } from '@databridge/kernel/kafka/records';
import type { Logger } from '@databridge/kernel/log';
import { Backoff } from '@databridge/kernel/time/backoff';
import type { Clock, Timer } from '@databridge/kernel/time/clock';
import type { LaneSet } from '../lanes/lane-set.ts';
import type { DeliveryMetrics } from '../metrics.ts';
import type { AttemptLog } from './attempt-log.ts';
import type { CommitPace } from './commit-pace.ts';

export interface CommitsOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: DeliveryMetrics;
  /** Batching delay before finished offsets are committed. */
  readonly pace: CommitPace;
  /** The greatest age of the status record, and of the committed offsets in it, after a commit. */
  readonly statusIntervalMs: number;
  readonly attempts: AttemptLog;
  readonly group: Pick<LaneGroup, 'commit'>;
  readonly lanes: () => LaneSet | undefined;
  /**
   * Writes the customer's status. It is called straight after a successful commit only, because the commit of a worker
   * that was replaced fails.
   */
  readonly writeStatus: () => Promise<void>;
  readonly onCommitted: () => void;
}

const STATUS_AFTER_START_MS = 5_000;
const RETRY_LIMITS = { firstMs: 200, longestMs: 5_000 };
/** The number of commits that a stop tries; offsets that are not committed then are delivered again. */
const LAST_TRIES = 3;
/** The time limit of the commits of a stop: if the brokers are away, the next owner delivers those offsets again. */
const FINISH_WITHIN_MS = 10_000;

/**
 * Commits the offsets that are done, soon and in one call for all lanes of a customer:
 *
 *     attempts on the log ─▶ offsets and what is done beyond them ─▶ status, if it changed
 */
export class Commits {
  readonly #with: CommitsOptions;
  readonly #committed = new Map<string, CommittedOffset>();
  #next: { readonly atMs: number; readonly timer: Timer } | undefined;
  /** Runs after a commit that no status record followed. */
  #statusTimer: Timer | undefined;
  #running: Promise<boolean> | undefined;
  /** True if offsets may have been added that the current run did not see. */
  #isTouched = false;
  #isStatusDue = false;
  readonly #backoff = new Backoff(RETRY_LIMITS);
  #isFinished = false;

  constructor(options: CommitsOptions) {
    this.#with = options;
  }

  /** The offset and metadata that this worker last committed. */
  committed(): CommittedOffset[] {
    return [...this.#committed.values()];
  }

  /** Called when there may be offsets to commit. */
  touch(): void {
    this.#schedule(this.#with.pace.intervalMs);
  }

  /** Called after a join: commits deliveries that ended since the last membership, and writes a status that is due. */
  noteJoined(): void {
    const lanes = this.#with.lanes();
    const isToCommit = lanes !== undefined && (lanes.uncommittedCount > 0 || lanes.commitPoints('changed').length > 0);
    // A customer that starts has nothing to commit, and a thousand of them may start at a time.
    if (isToCommit || this.#isStatusDue) this.touch();
  }

  /**
   * Schedules an update of the status record that an earlier owner wrote. It waits until most of the customers that
   * start together have started.
   */
  writeStatusLater(): void {
    const delayMs = Math.min(this.#with.statusIntervalMs, STATUS_AFTER_START_MS);
    this.#statusTimer ??= this.#with.clock.after(delayMs, () => {
      this.#statusTimer = undefined;
      this.writeStatusSoon();
    });
  }

  writeStatusSoon(): void {
    this.#isStatusDue = true;
    this.touch();
  }

  /**
   * Commits all finished offsets and writes them into the status record, which is kept longer than the offsets of an
   * empty group. After this call nothing more is committed.
   */
  async finish(): Promise<void> {
    this.#isStatusDue = true;
    this.#isFinished = true;
    if (this.#next) this.#with.pace.leave();
    this.#next?.timer.cancel();
    this.#next = undefined;
    this.#statusTimer?.cancel();
    const { clock, log } = this.#with;
    const overdue = Promise.withResolvers<void>();
    const timer = clock.after(FINISH_WITHIN_MS, () => {
      log.warn(
        { event: 'commit_unfinished_at_stop', withinMs: FINISH_WITHIN_MS },
        'offsets not committed before the stop; they are delivered again',
      );
      overdue.resolve();
    });
    // biome-ignore lint/plugin: both are made for one stop.
    await Promise.race([this.#commitLast(), overdue.promise]);
    timer.cancel();
  }

  async #commitLast(): Promise<void> {
    await this.#running;
    for (let tries = 1; tries <= LAST_TRIES; tries++) if (await this.#run()) break;
  }

  #schedule(delayMs: number): void {
    this.#isTouched = true;
    if (this.#isFinished || this.#running) return;
    const { clock, pace } = this.#with;
    const atMs = clock.monotonicMs() + delayMs;
    // An offset commit that is due soon does not wait for a status record that is due much later.
    if (this.#next && this.#next.atMs <= atMs) return;
    if (this.#next) this.#next.timer.cancel();
    else pace.enter();
    const timer = clock.after(delayMs, () => {
      this.#next = undefined;
      this.#running = this.#run();
      void this.#running.then((isDone) => {
        this.#running = undefined;
        pace.leave();
        if (!isDone) {
          this.#schedule(this.#backoff.next());
          return;
        }
        this.#backoff.reset();
        if (this.#isTouched) this.touch();
        // Nothing was ever committed, or the lanes are not restored yet: the status record waits for the commit that
        // proves ownership.
        else if (this.#isStatusDue) this.#schedule(this.#with.statusIntervalMs);
        this.#with.onCommitted();
      });
    });
    this.#next = { atMs, timer };
  }

  /** @returns false if it must be tried again */
  async #run(): Promise<boolean> {
    const { attempts, group, log, metrics } = this.#with;
    const lanes = this.#with.lanes();
    this.#isTouched = false;
    if (lanes === undefined) return true;
    const count = lanes.uncommittedCount;
    const writesStatus = this.#isStatusDue;
    // The commit before a status record proves that this worker still is the owner: it is made even if nothing changed.
    const points = lanes.commitPoints(writesStatus ? 'all' : 'changed');
    const endTimer = metrics.commitSeconds.startTimer();
    try {
      await attempts.flush();
      if (points.length > 0) {
        const offsets = points.map(({ lane: { topic, partition }, point }) => ({ topic, partition, ...point }));
        await group.commit(lanes.membership, offsets);
        for (const { lane, point } of points) lane.tracker.markCommitted(point);
        for (const offset of offsets) this.#committed.set(keyOf(offset), offset);
        endTimer();
      }
      lanes.noteCommitted(count);
      // Without a commit there is no proof of ownership, and no lanes know their offsets yet: the status record is
      // still due.
      if (writesStatus && points.length > 0) {
        this.#isStatusDue = false;
        this.#statusTimer?.cancel();
        this.#statusTimer = undefined;
        await this.#with.writeStatus().catch((error: unknown) => {
          this.#isStatusDue = true;
          throw error;
        });
      } else if (points.length > 0 && !this.#isFinished) {
        this.#statusTimer ??= this.#with.clock.after(this.#with.statusIntervalMs, () => {
          this.#statusTimer = undefined;
          this.writeStatusSoon();
        });
      }
      return true;
    } catch (error) {
      if (!lanes.membership.isCurrent) {
        // The next owner of the lanes reads again what is not committed, and then commits it.
        return true;
      }
      metrics.ownFaults.inc({ doing: 'commit' });
      log.warn({ event: 'commit_failed', err: error }, `commit failed; trying again: ${messageOf(error)}`);
      return false;
    }
  }
}
