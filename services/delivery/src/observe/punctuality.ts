import type { Clock } from '@databridge/kernel/time/clock';
import type { BufferedRecord } from '../lanes/buffered-records.ts';
import type { DeliveryMetrics, Path } from '../metrics.ts';
import type { Stalls } from './stalls.ts';

/**
 * Measures how long one customer's events take. An event is `held` if the customer itself caused a wait (its rate, its
 * endpoint, a pause), `retried` from its second attempt on, else `straight`. Tests, replays and copies by an earlier
 * version of fan-out, which did not note the time, are not measured.
 */
export class Punctuality {
  readonly #metrics: Pick<DeliveryMetrics, 'firstAttempt' | 'accepted' | 'retryLateness'>;
  readonly #stalls: Stalls;
  readonly #clock: Clock;
  readonly #paths = new WeakMap<BufferedRecord, Path>();

  constructor(
    metrics: Pick<DeliveryMetrics, 'firstAttempt' | 'accepted' | 'retryLateness'>,
    stalls: Stalls,
    clock: Clock,
  ) {
    this.#metrics = metrics;
    this.#stalls = stalls;
    this.#clock = clock;
  }

  /** Records that a record was taken from its lane to be sent. */
  recordStart(record: BufferedRecord): void {
    const { facts, dueAtMs, lane } = record;
    const monotonicMs = this.#clock.monotonicMs();
    if (lane.delayMs > 0) {
      if (!this.#stalls.wasStalledSince(dueAtMs)) {
        this.#metrics.retryLateness.observe(Math.max(0, monotonicMs - dueAtMs) / 1_000);
      }
      this.#paths.set(record, 'retried');
      return;
    }
    const ageMs = this.#ageMs(record);
    if (ageMs === undefined) return;
    const path = this.#stalls.wasStalledSince(monotonicMs - ageMs) ? 'held' : 'straight';
    this.#paths.set(record, path);
    this.#metrics.firstAttempt(facts.eventType, path, ageMs);
  }

  recordAcceptance(record: BufferedRecord): void {
    const path = this.#paths.get(record);
    const ageMs = this.#ageMs(record);
    if (path !== undefined && ageMs !== undefined) this.#metrics.accepted(record.facts.eventType, path, ageMs);
  }

  /** The time since the event was appended to the intake. */
  #ageMs({ facts }: BufferedRecord): number | undefined {
    if (facts.intakeAtMs === undefined || facts.replayId !== undefined) return undefined;
    return Math.max(0, this.#clock.nowMs() - this.#clock.recordMs(facts.intakeAtMs));
  }
}
