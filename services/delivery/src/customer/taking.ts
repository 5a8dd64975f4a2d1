import type { Clock } from '@databridge/kernel/time/clock';
import type { Gate } from '../gate/gate.ts';
import type { BufferedRecord } from '../lanes/buffered-records.ts';
import type { LaneSet } from '../lanes/lane-set.ts';
import type { StallReason, Stalls } from '../observe/stalls.ts';
import type { InFlightShare } from '../shares/in-flight.ts';
import type { WakeUp } from './wake-up.ts';

/**
 * The limit of deliveries that are finished but not committed; together with those in flight, it bounds what a crash
 * repeats.
 */
const MAX_UNCOMMITTED = 5_000;
/** The delay until the next check while only the lease is missing: heartbeats renew it without an event. */
const LEASE_RECHECK_MS = 200;

export interface TakingOptions {
  readonly clock: Clock;
  readonly gate: Gate;
  readonly inFlight: InFlightShare;
  readonly wake: WakeUp;
  readonly stalls: Stalls;
  readonly lanes: () => LaneSet | undefined;
  /** False if the customer stops or is disabled. */
  readonly mayTake: () => boolean;
  /** The limit of requests of the customer that are in flight at the same time. */
  readonly maxInFlight: () => number;
  /** Called when the gate opens after it was closed: records that have waited until then are backlog. */
  readonly onOutageEnded: () => void;
  /** Returns the part of Databridge that the running deliveries wait for; undefined if they wait for none. */
  readonly delayedBy: () => 'registry' | 'kafka' | undefined;
}

/** Decides which record of a customer is sent next, and notes why none is while something is due. */
export class Taking {
  readonly #with: TakingOptions;
  /** True while the gate lets nothing through, or only probes. */
  #isOutage = false;

  constructor(options: TakingOptions) {
    this.#with = options;
  }

  /** Chooses the next record to send, and takes its rate token; undefined if none may be sent now. An event or the wake-up timer then asks again. */
  choose(): BufferedRecord | undefined {
    const { clock, gate, inFlight, wake, lanes: lanesNow, mayTake, maxInFlight, delayedBy } = this.#with;
    const monotonicMs = clock.monotonicMs();
    const lanes = lanesNow();
    // Each of these ends with an event that asks again: the end of a delivery, a commit, a join, room in a share.
    if (!mayTake()) return this.#noteStall(undefined, monotonicMs);
    if (!lanes?.membership.isCurrent) return this.#noteStall('kafka', monotonicMs);
    if (inFlight.count >= maxInFlight()) return this.#noteStallIfDue(delayedBy() ?? 'in_flight', lanes, monotonicMs);
    if (inFlight.count >= gate.concurrency.limit(monotonicMs)) {
      const risesAtMs = gate.concurrency.risesAtMs(monotonicMs);
      if (risesAtMs !== undefined) wake.schedule(risesAtMs);
      return this.#noteStallIfDue(delayedBy() ?? 'in_flight', lanes, monotonicMs);
    }
    if (lanes.uncommittedCount >= MAX_UNCOMMITTED) return this.#noteStallIfDue('uncommitted', lanes, monotonicMs);

    if (!lanes.membership.hasLease()) {
      wake.schedule(monotonicMs + LEASE_RECHECK_MS);
      return this.#noteStallIfDue('lease', lanes, monotonicMs);
    }
    const permit = gate.permit(monotonicMs);
    if (permit.kind === 'free' && this.#isOutage) this.#with.onOutageEnded();
    this.#isOutage = permit.kind !== 'free';
    if (permit.kind === 'closed') {
      if (permit.untilMs !== undefined) wake.schedule(permit.untilMs);
      return this.#noteStallIfDue(permit.because, lanes, monotonicMs);
    }
    if (permit.kind === 'probe' && inFlight.count > 0) return this.#noteStallIfDue(permit.because, lanes, monotonicMs);

    const next =
      permit.kind === 'probe'
        ? (lanes.oldestDue(monotonicMs, (record) => !gate.isSuspect(record)) ?? lanes.offer(monotonicMs))
        : lanes.offer(monotonicMs);
    if (next === undefined) return this.#noteStallIfDue('uncommitted', lanes, monotonicMs);
    if (typeof next === 'number') {
      wake.schedule(next);
      return this.#noteStall(delayedBy(), monotonicMs);
    }
    if (!inFlight.requestRoom(next.bytes)) return this.#noteStall('share', monotonicMs);
    const tokenInMs = gate.rate.take(monotonicMs);
    if (tokenInMs > 0) {
      wake.schedule(monotonicMs + tokenInMs);
      return this.#noteStall('rate', monotonicMs);
    }
    return next;
  }

  /** Notes that no record may be taken, with the reason if any is due. */
  #noteStallIfDue(reason: StallReason, lanes: LaneSet, monotonicMs: number): undefined {
    this.#noteStall(lanes.hasDue(monotonicMs) ? reason : this.#with.delayedBy(), monotonicMs);
  }

  #noteStall(reason: StallReason | undefined, monotonicMs: number): undefined {
    this.#with.stalls.note(reason, monotonicMs);
  }
}
