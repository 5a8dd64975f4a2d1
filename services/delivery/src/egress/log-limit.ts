import type { Clock } from '@databridge/kernel/time/clock';

const ONCE_PER_MS = 60_000;
/** Customers choose the hosts, so the memory of them is bounded. */
const MAX_HOSTS = 10_000;

/** Limits the log to one line per minute for each host that fails repeatedly. */
export class LogLimit {
  readonly #clock: Clock;
  readonly #loggedAtMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  tryAcquire(host: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - (this.#loggedAtMs.get(host) ?? Number.NEGATIVE_INFINITY) < ONCE_PER_MS) return false;
    if (this.#loggedAtMs.size >= MAX_HOSTS) this.#loggedAtMs.clear();
    this.#loggedAtMs.set(host, nowMs);
    return true;
  }
}
