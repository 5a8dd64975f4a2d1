import { DatabridgeError } from '@databridge/kernel/errors';
import type { Logger } from '@databridge/kernel/log';

const WINDOW_MS = 600_000;
/** A person makes a few typing mistakes; the check character finds most of them before they are sent. */
export const MAX_FAILURES_PER_ADDRESS = 20;
/** A thousand invitations at the same time, each with a typing mistake, stay below it. */
export const MAX_FAILURES = 1_000;
const MAX_ADDRESSES = 10_000;

/**
 * Counts wrong links and codes within ten minutes, by address and in total, at this control plane. Above these limits
 * no link can be opened; a link that is open can still be answered. The invitation itself keeps the limit for each
 * link.
 */
export class GuessLimits {
  readonly #log: Logger;
  readonly #nowMs: () => number;
  readonly #byAddress = new Map<string, number>();
  #inAll = 0;
  #sinceMs: number;

  constructor(log: Logger, nowMs: () => number = Date.now) {
    this.#log = log;
    this.#nowMs = nowMs;
    this.#sinceMs = nowMs();
  }

  /** @throws {DatabridgeError} DB_TOO_MANY_FAILURES */
  refuseIfSpent(address: string): void {
    this.#forgetOld();
    const isSpent = (this.#byAddress.get(address) ?? 0) >= MAX_FAILURES_PER_ADDRESS || this.#inAll >= MAX_FAILURES;
    if (!isSpent) return;
    throw new DatabridgeError('DB_TOO_MANY_FAILURES', 'Too many wrong links or codes: wait ten minutes and try again');
  }

  count(address: string): void {
    this.#forgetOld();
    this.#inAll++;
    if (this.#byAddress.size < MAX_ADDRESSES || this.#byAddress.has(address)) {
      this.#byAddress.set(address, (this.#byAddress.get(address) ?? 0) + 1);
    }
    if (this.#inAll === MAX_FAILURES) {
      this.#log.error(
        { event: 'invitation_guesses_limited', failures: this.#inAll, withinMs: WINDOW_MS },
        'too many wrong invitation codes; all attempts are limited',
      );
    }
  }

  #forgetOld(): void {
    if (this.#nowMs() < this.#sinceMs + WINDOW_MS) return;
    this.#sinceMs = this.#nowMs();
    this.#inAll = 0;
    this.#byAddress.clear();
  }
}
