import { systemClock } from '@databridge/kernel/time/clock';

/**
 * Divides the time that costly filters take between the customers. Fan-out routes all customers' events in one event
 * loop, so a filter at the limit of what is allowed (some 10 ms for a large event) would delay everybody's. Filters below
 * {@link USUAL_WORK} count nothing and are always evaluated.
 *
 * Costly filters together have a credit that grows by a third of the time, up to {@link MAX_CREDIT_MS}; and each customer with
 * one has its own, which grows by an equal part of that third. An evaluation is paid from both afterwards, so either may be
 * below zero, and until both have recovered, the customer's filter is not evaluated: the event goes to it, as with every
 * filter that can't be evaluated. A customer whose own credit is whole does not wait for what the others used: a usual filter
 * that met one large event must not suffer from costly ones. The customer pays by counted work (schemas/src/event/filter-meter.ts), since a collection
 * of garbage in the middle is nobody's doing. All together pay by the clock: on a machine that is throttled or busy the same
 * work takes many times as long, and the events must go on there as well.
 */

/** A unit takes some 5 ns. */
const WORK_PER_MS = 200_000;
const COSTLY_SHARE = 1 / 3;
/** Saved up at most: costly filters hold the event loop for so long at a time, and for the evaluation that is under way. */
const MAX_CREDIT_MS = 5;
/** The total debt at which even a customer with full credit waits: more than one evaluation takes. */
const MAX_DEBT_MS = 12;
/** A customer with a costly filter that had no event for so long no longer divides the time with the others. */
const ACTIVE_MS = 1_000;
/** So long after its last costly evaluation it is as one that never had any, which is evaluated whatever the others have used. */
const REMEMBERED_MS = 600_000;
/** 0.25 ms: a search of a text of 50,000 characters, say. */
export const USUAL_WORK = WORK_PER_MS / 4;

interface Account {
  creditMs: number;
  /** Up to when the credit has grown. */
  atMs: number;
  lastWantedMs: number;
  lastCostlyMs: number;
}

export class FilterShares {
  readonly #nowMs: () => number;
  /** Customers with costly filters. */
  readonly #accounts = new Map<string, Account>();
  readonly #all: Account;
  #active = 1;
  #countedAtMs = Number.NEGATIVE_INFINITY;

  constructor(nowMs: () => number = () => systemClock.monotonicMs()) {
    this.#nowMs = nowMs;
    this.#all = { creditMs: MAX_CREDIT_MS, atMs: nowMs(), lastWantedMs: nowMs(), lastCostlyMs: nowMs() };
  }

  /** Returns whether the customer's filter may be evaluated now. Only one that was costly before may not. */
  mayAsk(customer: string): boolean {
    const account = this.#accounts.get(customer);
    if (account === undefined) return true;
    const nowMs = this.#nowMs();
    account.lastWantedMs = nowMs;
    const ownMs = grow(account, nowMs, this.#shareOfOne(nowMs));
    const leastOfAllMs = ownMs === MAX_CREDIT_MS ? -MAX_DEBT_MS : 0;
    return ownMs >= 0 && grow(this.#all, nowMs, COSTLY_SHARE) > leastOfAllMs;
  }

  /** @param work of one evaluation @param tookMs by the clock */
  recordUse(customer: string, work: number, tookMs: number): void {
    if (work <= USUAL_WORK) return;
    const nowMs = this.#nowMs();
    let account = this.#accounts.get(customer);
    if (account === undefined) {
      account = { creditMs: 0, atMs: nowMs, lastWantedMs: nowMs, lastCostlyMs: nowMs };
      this.#accounts.set(customer, account);
      this.#active++;
    }
    grow(account, nowMs, this.#shareOfOne(nowMs));
    account.creditMs -= work / WORK_PER_MS;
    account.lastCostlyMs = nowMs;
    grow(this.#all, nowMs, COSTLY_SHARE);
    this.#all.creditMs -= tookMs;
  }

  #shareOfOne(nowMs: number): number {
    if (nowMs - this.#countedAtMs >= ACTIVE_MS / 10) this.#count(nowMs);
    return COSTLY_SHARE / Math.max(1, this.#active);
  }

  #count(nowMs: number): void {
    this.#countedAtMs = nowMs;
    this.#active = 0;
    for (const [customer, { lastWantedMs, lastCostlyMs }] of this.#accounts) {
      if (nowMs - lastCostlyMs > REMEMBERED_MS) this.#accounts.delete(customer);
      else if (nowMs - lastWantedMs <= ACTIVE_MS) this.#active++;
    }
  }
}

/** Lets the credit grow to the present time. */
function grow(account: Account, nowMs: number, share: number): number {
  account.creditMs = Math.min(MAX_CREDIT_MS, account.creditMs + (nowMs - account.atMs) * share);
  account.atMs = nowMs;
  return account.creditMs;
}
