import { OffsetRun } from './offset-run.ts';
import { decodeOffsetSet, encodeOffsetSet, MAX_METADATA_CHARS, type OffsetRange } from './offset-set.ts';

/** What to commit of one partition. */
export interface CommitPoint {
  /** The lowest offset that is not done. */
  readonly offset: number;
  readonly metadata: string;
}

/**
 * Which offsets of one partition are done, during one membership of its group. It belongs to that membership: when
 * the member or its assignment changes, throw it away and read offsets and metadata again.
 *
 * A log has gaps (transaction markers, compaction, what was deleted), so it keeps runs of offsets that were read, with the
 * set of those that are incomplete, rather than a count. Read from the front alone, there is one run, and those that the
 * commit metadata told of. With a jump ahead ({@link skipTo}) there is another one, until reading at the front reaches it:
 *
 *     committed          position              skipped to       end
 *         │ incomplete, done │   not read yet      │ incomplete, done │
 */
export class OffsetTracker {
  /** Ascending, with offsets that were not read between any two. */
  readonly #runs: OffsetRun[];
  #incompleteCount = 0;
  #committed: CommitPoint;
  #isCrowded = false;

  /**
   * @param committed the group's committed offset, or where reading starts when it has none
   * @param metadata what was committed with it
   */
  constructor(committed: number, metadata: string | null) {
    this.#committed = { offset: committed, metadata: metadata ?? '' };
    const doneBefore = decodeOffsetSet(committed, metadata);
    this.#runs = [new OffsetRun(committed), ...doneBefore.map(OffsetRun.done)];
  }

  /** False when there is nothing to do: held already (a rejoin fetches again), or done before a restart. */
  accept(offset: number): boolean {
    const at = this.#indexAt(offset);
    const run = this.#runs[at];
    if (run === undefined || offset < run.end) return false;
    run.accept(offset);
    this.#incompleteCount++;
    this.#joinAfter(at);
    return true;
  }

  /**
   * The end of a fetched batch; there may be nothing but control records between its last record and here.
   * @param from where the fetch began; left out: at the front
   */
  advanceTo(nextOffset: number, from: number = this.position): void {
    const at = this.#indexAt(from);
    const run = this.#runs[at];
    // Before the front, everything was read already.
    if (run === undefined) return;
    run.end = Math.max(run.end, nextOffset);
    this.#joinAfter(at);
  }

  /**
   * Reading goes on at `offset`, further on: what was between is no longer in the log.
   * @returns false when it is not further on; nothing is changed then
   */
  moveOnTo(offset: number): boolean {
    if (offset < this.position) return false;
    this.advanceTo(offset);
    return true;
  }

  /** Reading goes on at `offset`, behind all that was read: what is between is read later. */
  skipTo(offset: number): void {
    if (offset > this.end) this.#runs.push(new OffsetRun(offset));
  }

  done(offset: number): void {
    if (this.#runs[this.#indexAt(offset)]?.complete(offset)) this.#incompleteCount--;
  }

  /** The first offset that was not read. */
  get position(): number {
    return this.#front.end;
  }

  /** One past the last offset that was read; more than {@link position} while there are gaps. */
  get end(): number {
    return (this.#runs.at(-1) as OffsetRun).end;
  }

  /** Gaps of offsets that are not read yet, with read ones behind them. */
  get gapCount(): number {
    return this.#runs.length - 1;
  }

  /** Offsets below `end` that were not read. */
  unreadBelow(end: number): number {
    let count = Math.max(0, end - this.position);
    for (const run of this.#runs.slice(1)) count -= Math.max(0, Math.min(run.end, end) - run.from);
    return Math.max(0, count);
  }

  get incompleteCount(): number {
    return this.#incompleteCount;
  }

  /** The lowest offset that is not done: it holds the commit back. */
  get lowest(): number {
    return this.#front.lowest;
  }

  /** The done offsets no longer fit the commit metadata: take nothing but the lowest one until it is done. */
  get isCrowded(): boolean {
    return this.#isCrowded;
  }

  /** What was last committed, or found so at the start. */
  get lastCommitted(): CommitPoint {
    return this.#committed;
  }

  /** What to commit now; undefined when that is committed already. */
  uncommitted(): CommitPoint | undefined {
    const point = this.#point();
    const isSame = point.offset === this.#committed.offset && point.metadata === this.#committed.metadata;
    return isSame ? undefined : point;
  }

  markCommitted(point: CommitPoint): void {
    this.#committed = point;
  }

  get #front(): OffsetRun {
    return this.#runs[0] as OffsetRun;
  }

  /** Of the last run that begins at `offset` or before; -1: it is before all. Nearly always there are one or two. */
  #indexAt(offset: number): number {
    let at = this.#runs.length - 1;
    if (at > 1 && offset < (this.#runs[1] as OffsetRun).from) at = 0;
    while (at >= 0 && (this.#runs[at] as OffsetRun).from > offset) at--;
    return at;
  }

  #joinAfter(at: number): void {
    const run = this.#runs[at] as OffsetRun;
    let joined = 0;
    for (
      let next = this.#runs[at + 1];
      next !== undefined && next.from <= run.end;
      next = this.#runs[at + 1 + joined]
    ) {
      run.join(next);
      joined++;
    }
    if (joined > 0) this.#runs.splice(at + 1, joined);
  }

  #point(): CommitPoint {
    const offset = this.lowest;
    const ranges: OffsetRange[] = this.#runs.flatMap((run) => run.doneAbove(offset));
    const metadata = encodeOffsetSet(offset, ranges);
    this.#isCrowded = metadata.length > MAX_METADATA_CHARS;
    // Without the set a restart sends more again, and that is all: the offset alone is always right.
    return { offset, metadata: this.#isCrowded ? '' : metadata };
  }
}
