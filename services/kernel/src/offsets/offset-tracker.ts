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
 * A log has gaps (transaction markers, compaction, what was deleted), so it keeps the set of incomplete offsets
 * rather than a count: every offset below `#position` that is not in the set is done, or never held a record.
 */
export class OffsetTracker {
  /** Ascending: records are accepted in offset order, and a Set keeps the order of insertion. */
  readonly #incomplete = new Set<number>();
  /** Done before this membership, as the commit metadata told. */
  readonly #doneBefore: readonly OffsetRange[];
  readonly #doneBeforeEnd: number;
  #position: number;
  #highestDone = -1;
  #committed: CommitPoint;
  #isCrowded = false;

  /**
   * @param committed the group's committed offset, or where reading starts when it has none
   * @param metadata what was committed with it
   */
  constructor(committed: number, metadata: string | null) {
    this.#position = committed;
    this.#committed = { offset: committed, metadata: metadata ?? '' };
    this.#doneBefore = decodeOffsetSet(committed, metadata);
    this.#doneBeforeEnd = this.#doneBefore.at(-1)?.to ?? 0;
  }

  /** False when there is nothing to do: held already (a rejoin fetches again), or done before a restart. */
  accept(offset: number): boolean {
    if (offset < this.#position) return false;
    this.#position = offset + 1;
    if (this.#wasDoneBefore(offset)) {
      this.#highestDone = offset;
      return false;
    }
    this.#incomplete.add(offset);
    return true;
  }

  /** The end of a fetched batch; there may be nothing but control records between its last record and here. */
  advanceTo(nextOffset: number): void {
    this.#position = Math.max(this.#position, nextOffset);
  }

  /**
   * Reading goes on at `offset`, further on: what was between is no longer in the log.
   * @returns false when it is not further on; nothing is changed then
   */
  moveOnTo(offset: number): boolean {
    if (offset < this.#position) return false;
    this.#position = offset;
    return true;
  }

  done(offset: number): void {
    if (this.#incomplete.delete(offset)) this.#highestDone = Math.max(this.#highestDone, offset);
  }

  /** The next offset to be accepted. */
  get position(): number {
    return this.#position;
  }

  get incompleteCount(): number {
    return this.#incomplete.size;
  }

  /** The done offsets no longer fit the commit metadata: take nothing more until the oldest one is done. */
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

  committed(point: CommitPoint): void {
    this.#committed = point;
  }

  #wasDoneBefore(offset: number): boolean {
    return offset < this.#doneBeforeEnd && this.#doneBefore.some(({ from, to }) => offset >= from && offset < to);
  }

  #point(): CommitPoint {
    const [lowest] = this.#incomplete;
    const offset =
      lowest ??
      this.#doneBefore.find(({ from, to }) => this.#position >= from && this.#position < to)?.to ??
      this.#position;
    const metadata = encodeOffsetSet(offset, this.#doneAbove(offset));
    this.#isCrowded = metadata.length > MAX_METADATA_CHARS;
    // Without the set a restart sends more again, and that is all: the offset alone is always right.
    return { offset, metadata: this.#isCrowded ? '' : metadata };
  }

  #doneAbove(offset: number): OffsetRange[] {
    const ranges: OffsetRange[] = [];
    const seenEnd = this.#highestDone + 1;
    let from = offset;
    for (const incomplete of this.#incomplete) {
      if (incomplete >= seenEnd) break;
      if (incomplete > from) ranges.push({ from, to: incomplete });
      from = incomplete + 1;
    }
    if (from > offset && from < seenEnd) ranges.push({ from, to: seenEnd });
    for (const range of this.#doneBefore) {
      if (range.to <= this.#position || range.from <= offset) continue;
      const unseenFrom = Math.max(range.from, this.#position);
      const last = ranges.at(-1);
      if (last?.to === unseenFrom) ranges[ranges.length - 1] = { from: last.from, to: range.to };
      else ranges.push({ from: unseenFrom, to: range.to });
    }
    return ranges;
  }
}
