import type { Secret } from '@databridge/kernel/secrets/secret';
import type { Instant } from '@databridge/kernel/time/clock';
import { kindOf } from '@databridge/schemas/destination/destinations';
import type { HoldReason } from '@databridge/schemas/records/status';
import { formatDelay } from '@databridge/schemas/records/topics';
import { exhaustsAtMs, type RetryPlan } from '@databridge/schemas/retries/retry-plan';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { DisableReason } from '../attempt/verdict.ts';
import type { Gate } from '../gate/gate.ts';
import type { BufferedRecord } from '../lanes/buffered-records.ts';
import type { LaneSet } from '../lanes/lane-set.ts';

/** The state of a running customer at one moment. Times are wall-clock ms since the epoch. */
export interface CustomerLevels {
  /** The number of records that are not done, by lane: `main` or the retry lane's delay. */
  readonly waiting: ReadonlyMap<string, number>;
  /** The intake time of the oldest event that is not done, among those that were fetched. */
  readonly oldestIntakeAtMs: number | undefined;
  /** The first failed attempt since the last success. */
  readonly failingSinceMs: number | undefined;
  readonly lastSuccessAtMs: number | undefined;
  /** The used part of the retry budget of the event that has used most of it; undefined if none is retried. */
  readonly budget: { readonly time: number; readonly attempts: number } | undefined;
  /** When the customer will be disabled if no event succeeds until then. */
  readonly disable: { readonly atMs: number; readonly because: DisableReason | HoldReason } | undefined;
  readonly statedRate: number | undefined;
  readonly effectiveRate: number | undefined;
  readonly destination: string;
  readonly breaker: 'closed' | 'half-open' | 'open';
  readonly held: HoldReason | undefined;
  readonly isAskedToWait: boolean;
  readonly inFlight: number;
}

export interface LevelSources {
  readonly subscription: Subscription<Secret>;
  readonly gate: Gate;
  readonly lanes: LaneSet | undefined;
  /** Records that were taken from their lanes and are not done. */
  readonly inFlight: Iterable<BufferedRecord>;
  readonly inFlightCount: number;
  readonly plan: RetryPlan;
  /** A record's time by this worker's clock. */
  readonly recordMs: (timestampMs: number) => number;
}

/** Examines every record in memory: the memory for all customers together bounds their number. */
export function levelsOf(sources: LevelSources, now: Instant): CustomerLevels {
  const { subscription, gate, lanes, plan, recordMs } = sources;
  const { breaker, held, waitUntilMs, lastSuccessAtMs } = gate.status(now);
  const waiting = new Map<string, number>();
  for (const lane of lanes?.lanes ?? []) {
    const name = lane.isRetry ? formatDelay(lane.id.delayMs) : 'main';
    waiting.set(name, (waiting.get(name) ?? 0) + lane.waitingCount);
  }

  let oldestIntakeAtMs: number | undefined;
  let failingSinceMs = gate.failingSinceMs;
  let longestMs = 0;
  let mostAttempts = 0;
  let exhaustedAtMs: number | undefined;
  for (const { facts, dueAtMs } of recordsOf(sources)) {
    if (facts.intakeAtMs !== undefined) oldestIntakeAtMs = least(oldestIntakeAtMs, recordMs(facts.intakeAtMs));
    const firstMs = facts.firstAttemptAtMs;
    const counts = facts.attempt > 0 && (facts.enableEpoch ?? 0) >= subscription.enableEpoch;
    if (!counts || firstMs === undefined) continue;
    longestMs = Math.max(longestMs, now.wallMs - firstMs);
    mostAttempts = Math.max(mostAttempts, facts.attempt);
    // Another event was accepted since its first attempt: it will become a dead letter, and disable no customer.
    if (lastSuccessAtMs !== undefined && lastSuccessAtMs >= firstMs) continue;
    failingSinceMs = least(failingSinceMs, firstMs);
    const nextAtMs = now.wallMs + Math.max(0, dueAtMs - now.monotonicMs);
    exhaustedAtMs = least(exhaustedAtMs, exhaustsAtMs(plan, facts.attempt, firstMs, nextAtMs));
  }
  return {
    ...{ waiting, oldestIntakeAtMs, failingSinceMs, lastSuccessAtMs, breaker },
    budget:
      mostAttempts > 0 ? { time: longestMs / plan.windowMs, attempts: mostAttempts / plan.maxAttempts } : undefined,
    disable: held
      ? { atMs: held.sinceMs + plan.windowMs, because: held.because }
      : exhaustedAtMs !== undefined
        ? { atMs: exhaustedAtMs, because: 'exhausted' }
        : undefined,
    statedRate: subscription.ratePerSecond,
    effectiveRate: gate.rate.ratePerSecond === Number.POSITIVE_INFINITY ? undefined : gate.rate.ratePerSecond,
    destination: placeOf(subscription.destination),
    held: held?.because,
    isAskedToWait: waitUntilMs !== undefined,
    inFlight: sources.inFlightCount,
  };
}

function* recordsOf({ lanes, inFlight }: LevelSources): Iterable<BufferedRecord> {
  for (const lane of lanes?.lanes ?? []) yield* lane.buffered;
  yield* inFlight;
}

const least = (a: number | undefined, b: number) => (a === undefined ? b : Math.min(a, b));

/** Without the path, which may contain a secret. */
function placeOf(destination: Subscription<Secret>['destination']): string {
  const label = kindOf(destination).label(destination);
  return /^https?:/.test(label) ? new URL(label).origin : label;
}
