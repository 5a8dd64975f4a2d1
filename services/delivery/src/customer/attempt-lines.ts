import type { Logger } from '@databridge/kernel/log';
import type { Attempt } from '@databridge/schemas/records/attempts';

/**
 * The limit of failed attempts that are logged per customer and minute: a customer that is down must not fill the log.
 */
const MOST_PER_MINUTE = 10;
const MINUTE_MS = 60_000;

/**
 * Logs a customer's attempts: failed ones at the level `info`; delivered ones, and failed ones beyond the limit, at the
 * level `debug`.
 */
export class AttemptLines {
  readonly #log: Logger;
  #minuteBeganAtMs = Number.NEGATIVE_INFINITY;
  #logged = 0;
  #suppressed = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** @param traceId of the attempt's span, if it has one */
  note(attempt: Attempt, monotonicMs: number): void {
    // The metrics and the attempt log count each delivery: a log line for each would cost more than the delivery.
    if (attempt.outcome === 'delivered') {
      if (this.#log.isLevelEnabled('debug')) this.#log.debug(lineOf(attempt), 'attempt');
      return;
    }
    const line = lineOf(attempt);
    if (monotonicMs - this.#minuteBeganAtMs >= MINUTE_MS) {
      this.#minuteBeganAtMs = monotonicMs;
      this.#logged = 0;
    }
    if (this.#logged >= MOST_PER_MINUTE) {
      this.#suppressed++;
      this.#log.debug(line, 'attempt');
      return;
    }
    this.#logged++;
    const suppressed = this.#suppressed;
    this.#suppressed = 0;
    this.#log.info(suppressed === 0 ? line : { ...line, suppressed }, 'attempt');
  }
}

function lineOf({ traceId, ...attempt }: Attempt): object {
  return traceId === undefined ? attempt : { ...attempt, trace_id: traceId };
}
