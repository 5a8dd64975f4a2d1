import { OffsetRun } from './offset-run.ts';
import { decodeOffsetSet, encodeOffsetSet, MAX_METADATA_CHARS, type OffsetRange } from './offset-set.ts';

/** The offset and metadata to commit for one partition. */
export interface CommitPoint {
  /** The lowest offset that is not done. */
  readonly offset: number;
  readonly metadata: string;
}

/**
 * Which offsets of one partition are done, during one membership of its group. It belongs to that membership: when the
 * member or its assignment changes, discard it and read offsets and metadata again.
 *
 * A log has gaps (transaction markers, compaction, what was deleted), so it keeps runs of offsets that were read, with
 * the set of those that are incomplete, rather than a count. Read from the front alone, there is one run, and those
 * that the commit metadata told of. With a jump ahead ({@link skipTo}) there is another one, until reading at the front
 * reaches it:
 *
 *     committed          position              skipped to       end
 *         │ incomplete, done │   not read yet      │ incomplete, done │
 */
export class OffsetTracker {
  /** The runs in ascending order, with unread offsets between any two. */
  readonly #runs: OffsetRun[];
  #incompleteCount = 0;
  #committed: CommitPoint;
  #isCrowded = false;

  /**
   * @param committed the group's committed offset, or the offset where reading starts if there is none
   * @param metadata the metadata of that commit
   */
  constructor(committed: number, metadata: string | null) {
    this.#committed = { offset: committed, metadata: metadata ?? '' };
    const doneBefore = decodeOffsetSet(committed, metadata);
    this.#runs = [new OffsetRun(committed), ...doneBefore.map(OffsetRun.done)];
  }

  /**
   * Returns whether the record must be processed; false if it is known already (a rejoin fetches again), or was done
   * before a restart.
   */
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
   * Notes the end of a fetched batch; there may be only control records between its last record and here.
   * @param from the offset at which the fetch began; if omitted, the front
   */
  advanceTo(nextOffset: number, from: number = this.position): void {
    const at = this.#indexAt(from);
    const run = this.#runs[at];
    // Everything before the front was read already.
    if (run === undefined) return;
    run.end = Math.max(run.end, nextOffset);
    this.#joinAfter(at);
  }

  /**
   * Continues reading at `offset`, further on: the records between are gone from the log.
   * @returns false if it is not further on; nothing is changed then
   */
  moveOnTo(offset: number): boolean {
    if (offset < this.position) return false;
    this.advanceTo(offset);
    return true;
  }

  /** Continues reading at `offset`, beyond all that was read: the records between are read later. */
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

  /** The number of gaps: ranges of unread offsets with read ones after them. */
  get gapCount(): number {
    return this.#runs.length - 1;
  }

  /** The number of unread offsets below `end`. */
  unreadBelow(end: number): number {
    let count = Math.max(0, end - this.position);
    for (const run of this.#runs.slice(1)) count -= Math.max(0, Math.min(run.end, end) - run.from);
    return Math.max(0, count);
  }

  get incompleteCount(): number {
    return this.#incompleteCount;
  }

  /** The lowest offset that is not done: it blocks the commit. */
  get lowest(): number {
    return this.#front.lowest;
  }

  /** True if the finished offsets exceed the commit metadata: take only the lowest offset until it is done. */
  get isCrowded(): boolean {
    return this.#isCrowded;
  }

  /** The last commit, or the one found at the start. */
  get lastCommitted(): CommitPoint {
    return this.#committed;
  }

  /** The offset and metadata to commit now; undefined if they are committed already. */
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

  /**
   * The index of the last run that begins at `offset` or before; -1 if it is before all. There are nearly always one or
   * two runs.
   */
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
    // Without the set, a restart only sends more events again: the offset alone is always correct.
    return { offset, metadata: this.#isCrowded ? '' : metadata };
  }
}
