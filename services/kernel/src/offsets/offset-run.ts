import type { OffsetRange } from './offset-set.ts';

/**
 * Offsets of one partition that were taken in one after the other, from `from` to before `end`: each of them is
 * incomplete, or done, or never held a record. Offsets between two runs are not read yet.
 */
export class OffsetRun {
  readonly from: number;
  /** One past the last: the next offset to be read. */
  end: number;
  /** Ascending: records are accepted in offset order, and a Set keeps the order of insertion. */
  readonly incomplete = new Set<number>();
  #highestDone = -1;

  constructor(from: number, end: number = from) {
    this.from = from;
    this.end = end;
  }

  /** The offsets that an earlier membership finished. */
  static done({ from, to }: OffsetRange): OffsetRun {
    const run = new OffsetRun(from, to);
    run.#highestDone = to - 1;
    return run;
  }

  /** The lowest offset that is not done. */
  get lowest(): number {
    const [lowest] = this.incomplete;
    return lowest ?? this.end;
  }

  accept(offset: number): void {
    this.incomplete.add(offset);
    this.end = offset + 1;
  }

  /** @returns whether the offset was incomplete until now */
  complete(offset: number): boolean {
    if (!this.incomplete.delete(offset)) return false;
    this.#highestDone = Math.max(this.#highestDone, offset);
    return true;
  }

  /** Appends the run that follows it: everything between the two was read, too. */
  join(next: OffsetRun): void {
    for (const offset of next.incomplete) this.incomplete.add(offset);
    this.end = Math.max(this.end, next.end);
    this.#highestDone = Math.max(this.#highestDone, next.#highestDone);
  }

  /** The finished offsets above `offset`, which is not done or is the run's start. */
  doneAbove(offset: number): OffsetRange[] {
    const ranges: OffsetRange[] = [];
    const seenEnd = this.#highestDone + 1;
    let from = Math.max(offset, this.from);
    for (const incomplete of this.incomplete) {
      if (incomplete >= seenEnd) break;
      if (incomplete > from) ranges.push({ from, to: incomplete });
      from = incomplete + 1;
    }
    if (from < seenEnd) ranges.push({ from, to: seenEnd });
    return ranges;
  }
}
