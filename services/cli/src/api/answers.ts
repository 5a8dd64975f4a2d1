/**
 * Answers of the API, as far as commands read them. The OpenAPI document has them in full; a test compares these with what
 * the control plane makes.
 */
import type { EffectiveState, WorkerStatus } from '@databridge/schemas/records/status';

export interface CustomerStatus {
  readonly customer: string;
  readonly state: EffectiveState;
  readonly disabledBy?: 'operator' | 'worker';
  readonly matchesEveryCompany?: true;
  readonly runBy?: string;
  readonly failing?: string;
  /** Why the stored filter is refused today: every event that matches is delivered. */
  readonly invalidFilter?: string;
  readonly worker?: WorkerStatus | undefined;
  /** Records by lane, `main` first. */
  readonly lagByLane: Readonly<Record<string, number>>;
  /** An upper bound. */
  readonly deadRecords: number;
  /** Of the last 24 hours, by outcome. */
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

export interface Reconciliation {
  readonly customer: string;
  readonly written: number;
  readonly delivered: number;
  readonly waiting: number;
  readonly dead: number;
  readonly removed: number;
  readonly skipped: number;
  readonly settled: number;
  readonly replays: number;
  readonly unaccounted: readonly { readonly eventId: string; readonly source?: string; readonly replayId?: string }[];
}

/** Intake records that left no copy behind. */
export interface IntakeAnswer {
  readonly unmatched: number;
  readonly filtered: number;
  /** Absent: nothing was counted yet. */
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
  /** No check found a fault. */
  readonly isHealthy: boolean;
  readonly findings: readonly Finding[];
}
