/**
 * The answers of the API, as far as commands read them. The OpenAPI document describes them in full; a test compares
 * these types with it.
 */
import type { Attempt } from '@databridge/schemas/records/attempts';
import type { EffectiveState, WorkerStatus } from '@databridge/schemas/records/status';

export interface CustomerStatus {
  readonly customer: string;
  readonly state: EffectiveState;
  readonly awaitsApproval?: true;
  readonly disabledBy?: 'operator' | 'worker';
  readonly matchesEveryCompany?: true;
  readonly runBy?: string;
  readonly failing?: string;
  /** Why the stored filter is refused today: every event that matches is delivered. */
  readonly invalidFilter?: string;
  readonly worker?: WorkerStatus | undefined;
  readonly lastSuccessAtMs?: number;
  /** The number of records by lane, `main` first. */
  readonly lagByLane: Readonly<Record<string, number>>;
  /** An upper bound. */
  readonly deadRecords: number;
  /** Counts of the last 24 hours, by outcome. */
  readonly attempts: Readonly<Record<string, number>>;
}

export interface Rewind {
  readonly customer: string;
  readonly partitions: readonly { readonly partition: number; readonly from: number; readonly to: number }[];
  readonly again: number;
  readonly firstAtMs?: number;
  readonly lastAtMs?: number;
  readonly deleted: number;
  readonly waitingInRetry: number;
  readonly skipped: number;
}

export interface Rehearsal {
  readonly findings: readonly {
    readonly case: string;
    readonly verdict: 'passed' | 'failed' | 'skipped';
    readonly text: string;
  }[];
}

export interface Reconciliation {
  readonly customer: string;
  readonly written: number;
  readonly delivered: number;
  readonly waiting: number;
  readonly dead: number;
  readonly removed: number;
  readonly skipped: number;
  readonly erased: number;
  readonly settled: number;
  readonly replays: number;
  readonly unaccounted: readonly { readonly eventId: string; readonly source?: string; readonly replayId?: string }[];
}

/** The intake records without a copy. */
export interface IntakeAnswer {
  readonly unmatched: number;
  readonly filtered: number;
  /** Absent if nothing was counted yet. */
  readonly sinceMs?: number;
}

/** The result of one check of `databridge doctor`. */
export interface Finding {
  readonly check: string;
  /** `unknown`: it could not be checked, and the detail says why. */
  readonly verdict: 'ok' | 'fault' | 'unknown';
  readonly detail: string;
  readonly advice?: string;
}

export interface Examination {
  /** True if no check found a fault. */
  readonly isHealthy: boolean;
  readonly findings: readonly Finding[];
}

/** Why nothing, or not everything, is sent to a customer, and what comes next. Times are ms since the epoch. */
export interface CustomerExplanation {
  readonly customer: string;
  readonly state: EffectiveState;
  readonly runBy?: string;
  readonly gate: readonly {
    readonly because: string;
    readonly detail: string;
    readonly cure?: string;
    readonly untilMs?: number;
  }[];
  readonly nextAttempt?: {
    readonly atMs: number;
    readonly lane: string;
    readonly eventId: string;
    readonly attempt: number;
    readonly isAtLatest: boolean;
  };
  readonly backlog: { readonly records: number; readonly byLane: Readonly<Record<string, number>> };
  readonly deliveredPerSecond: number;
  readonly arrivingPerSecond: number;
  readonly drain: { readonly kind: 'empty' | 'drained' | 'growing' | 'stopped'; readonly atMs?: number };
  readonly budget?: {
    readonly eventId: string;
    readonly attempts: number;
    readonly maxAttempts: number;
    readonly usedMs: number;
    readonly windowMs: number;
  };
  readonly disabling?: { readonly atMs: number; readonly because: string };
  readonly isPartial: boolean;
}

/** The fate of one event. */
export interface EventExplanation {
  readonly eventId: string;
  readonly eventType: string;
  readonly source: string;
  readonly atMs?: number;
  readonly fanOut: { readonly state: 'routed' | 'waiting' | 'quarantined'; readonly detail?: string };
  readonly matching: readonly {
    readonly customer: string;
    readonly matches: boolean;
    readonly whyNot: readonly string[];
  }[];
  readonly unreadable?: string;
  readonly deliveries: readonly {
    readonly customer: string;
    readonly state: EffectiveState;
    readonly fate: 'delivered' | 'waiting' | 'dead' | 'skipped' | 'unknown';
    readonly lane?: string;
    readonly offset?: number;
    readonly dueAtMs?: number;
    readonly deadBecause?: string;
    readonly attempts: readonly Attempt[];
  }[];
  readonly isPartial: boolean;
}

/** The copies that an erasure concerns: `deletedByMs` is absent if the topic's settings have no limit. */
export interface ErasurePlan {
  readonly events: number;
  readonly customers: readonly string[];
  readonly remainders: readonly { readonly topic: string; readonly copies: number; readonly deletedByMs?: number }[];
}

export interface ErasureReceipt extends ErasurePlan {
  readonly request: string;
  readonly erasedAtMs: number;
  readonly fromMs?: number;
  readonly deadLetters: number;
  readonly quarantined: number;
  readonly removed: number;
  readonly remainders: readonly KeptRemainder[];
}

/** `because` says why the bytes stay; `places` are `<partition>/<offset>` of an intake topic. */
export interface KeptRemainder {
  readonly topic: string;
  readonly copies: number;
  readonly deletedByMs?: number;
  readonly because: string;
  readonly places?: readonly string[];
}
