/** Half of a resource is divided into floors, one per member; the other half is borrowed. */
const FLOORS_DIVISOR = 2;

/**
 * Divides one resource of a worker (requests in flight, bytes) between its customers.
 *
 * - Every member has a **floor**: half of the resource divided by the number of members, at least one unit. No other
 *   member can borrow from it, so a member that was idle gets its floor at once.
 * - Above its floor a member **borrows** what nobody claims, but never more than it leaves free for others to borrow.
 *   One greedy member therefore takes half of the borrowable part, two take a third each, and so on; the rest stays free
 *   for members that come later. (Switches share packet memory in the same way: Choudhury and Hahne, "Dynamic queue
 *   length thresholds for shared-memory packet switches", IEEE/ACM ToN 1998.)
 * - A borrower gives back as its units end: while it has more than its allowance it gets no new one.
 */
export class FairShares {
  readonly #total: number;
  #members = 0;
  /** The members that use units. A worker that starts has thousands of members, and nearly all of them use none. */
  readonly #users = new Set<Share>();
  readonly #waiting = new Set<Share>();
  #used = 0;
  /** The sum over all members of the larger of their use and their floor. */
  #claimed = 0;
  #floor: number;
  #wakeUp: NodeJS.Immediate | undefined;

  constructor(total: number) {
    this.#total = total;
    this.#floor = total;
  }

  /** Units used by all members together. */
  get used(): number {
    return this.#used;
  }

  /** Units that every member can count on. */
  get floor(): number {
    return this.#floor;
  }

  /** @param onRoom called once after a refused {@link Share.requestRoom}, as soon as the member may take a unit */
  join(onRoom: () => void = () => undefined): Share {
    const share: Share = new Share({
      allowance: (used) => this.#allowanceOf(used),
      isExhausted: (units) => this.#used + units > this.#total,
      updateUse: (before, after) => this.#updateUse(share, before, after),
      wait: () => this.#waiting.add(share),
      removeMember: () => this.#removeMember(share),
      onRoom,
    });
    this.#members++;
    this.#divide();
    return share;
  }

  #allowanceOf(used: number): number {
    const claimedByOthers = this.#claimed - Math.max(used, this.#floor);
    return this.#floor + Math.max(0, this.#total - claimedByOthers - this.#floor) / 2;
  }

  #updateUse(share: Share, before: number, after: number): void {
    if (after > 0) this.#users.add(share);
    else this.#users.delete(share);
    this.#used += after - before;
    this.#claimed += Math.max(after, this.#floor) - Math.max(before, this.#floor);
    if (after < before) this.#wakeSoon();
  }

  #removeMember(share: Share): void {
    this.#members--;
    this.#waiting.delete(share);
    this.#divide();
    this.#wakeSoon();
  }

  #divide(): void {
    this.#floor = Math.max(1, Math.floor(this.#total / FLOORS_DIVISOR / Math.max(this.#members, 1)));
    this.#claimed = (this.#members - this.#users.size) * this.#floor;
    for (const { used } of this.#users) this.#claimed += Math.max(used, this.#floor);
  }

  /** Runs once per turn of the event loop, however many units ended in it. */
  #wakeSoon(): void {
    if (this.#waiting.size === 0 || this.#wakeUp) return;
    this.#wakeUp = setImmediate(() => {
      this.#wakeUp = undefined;
      // Members below their floor come first; each takes what it may, and waits again at the end of the queue.
      for (const share of [...this.#waiting].sort((a, b) => a.used - b.used)) {
        if (!share.hasRoom(1)) continue;
        this.#waiting.delete(share);
        share.wake();
      }
    });
  }
}

interface Division {
  readonly allowance: (used: number) => number;
  readonly isExhausted: (units: number) => boolean;
  readonly updateUse: (before: number, after: number) => void;
  readonly wait: () => void;
  readonly removeMember: () => void;
  readonly onRoom: () => void;
}

/** One member's use of a resource, and how much it may use. */
export class Share {
  readonly #division: Division;
  #used = 0;
  #hasLeft = false;

  constructor(division: Division) {
    this.#division = division;
  }

  get used(): number {
    return this.#used;
  }

  /** The units that the member may use at present: its floor, and what it may borrow. */
  get allowance(): number {
    return this.#division.allowance(this.#used);
  }

  /** Returns whether this many more units are within the allowance and available. Has no effect. */
  hasRoom(units: number): boolean {
    return this.#used + units <= this.allowance && !this.#division.isExhausted(units);
  }

  /** As {@link hasRoom}; if there is no room, the member waits for `onRoom`. */
  requestRoom(units: number): boolean {
    if (this.hasRoom(units)) return true;
    if (!this.#hasLeft) this.#division.wait();
    return false;
  }

  /** Takes units, even if they exceed the allowance. */
  take(units: number): void {
    this.#set(this.#used + units);
  }

  giveBack(units: number): void {
    this.#set(this.#used - units);
  }

  /** Ends the membership. Units still used are given back. */
  leave(): void {
    if (this.#hasLeft) return;
    this.#set(0);
    this.#hasLeft = true;
    this.#division.removeMember();
  }

  wake(): void {
    this.#division.onRoom();
  }

  #set(used: number): void {
    if (this.#hasLeft) return;
    const before = this.#used;
    this.#used = used;
    this.#division.updateUse(before, used);
  }
}
