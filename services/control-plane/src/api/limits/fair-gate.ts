import { DatabridgeError } from '@databridge/kernel/errors';
import { systemClock } from '@databridge/kernel/time/clock';

export interface FairGateOptions {
  /** The limit of running calls, for all tenants together. */
  readonly maxRunning: number;
  /** The limit of running calls of one tenant. */
  readonly maxRunningPerTenant: number;
  /** The limit of waiting calls of one tenant; one more is refused. */
  readonly maxWaitingPerTenant: number;
  /** A call that waited for this long, in ms, is refused. */
  readonly waitWithinMs: number;
}

interface Waiting {
  start(): void;
}

interface Tenant {
  running: number;
  readonly waiting: Waiting[];
}

/**
 * Bounds how many expensive calls run at a time, and lets tenants take turns: the next free place goes to the tenant
 * that was served longest ago, however many calls others have in their queues.
 *
 *     call ─▶ a place is free ─▶ running ─▶ done: its place goes to the next tenant in turn
 *       └──▶ waiting ──┬─▶ its turn ─▶ running
 *                      ├─▶ waited too long: 503
 *                      └─▶ the caller has gone
 */
export class FairGate {
  readonly #options: FairGateOptions;
  /** The tenants with calls, in the order of their turns. A tenant that was served moves to the end. */
  readonly #tenants = new Map<string, Tenant>();
  #running = 0;

  constructor(options: FairGateOptions) {
    this.#options = options;
  }

  /**
   * @param signal if it aborts, a call that still waits is dropped
   * @throws {DatabridgeError} DB_RATE_LIMITED if the tenant's queue is full; DB_BUSY if no place was free in time
   */
  async run<T>(tenant: string, signal: AbortSignal, call: () => T | Promise<T>): Promise<T> {
    await this.#enter(tenant, signal);
    try {
      return await call();
    } finally {
      this.#leave(tenant);
    }
  }

  async #enter(name: string, signal: AbortSignal): Promise<void> {
    const tenant = this.#tenants.get(name) ?? { running: 0, waiting: [] };
    this.#tenants.set(name, tenant);
    if (this.#hasPlaceFor(tenant) && tenant.waiting.length === 0) return this.#take(name, tenant);
    const { maxWaitingPerTenant, waitWithinMs } = this.#options;
    if (tenant.waiting.length >= maxWaitingPerTenant) {
      throw new DatabridgeError(
        'DB_RATE_LIMITED',
        `${maxWaitingPerTenant} expensive requests of this tenant are already queued; send the next one when one of them is answered`,
      );
    }
    await new Promise<void>((resolve, reject) => {
      const waiting: Waiting = {
        start: () => {
          forget();
          this.#take(name, tenant);
          resolve();
        },
      };
      const giveUp = (error: DatabridgeError) => {
        forget();
        const at = tenant.waiting.indexOf(waiting);
        if (at >= 0) tenant.waiting.splice(at, 1);
        this.#dropIfIdle(name, tenant);
        reject(error);
      };
      const onAbort = () =>
        giveUp(new DatabridgeError('DB_BUSY', 'The client closed the connection while the request was queued'));
      const timer = systemClock.after(waitWithinMs, () =>
        giveUp(
          new DatabridgeError(
            'DB_BUSY',
            `The request was queued for ${waitWithinMs / 1_000} s, which is the limit; try again later`,
          ),
        ),
      );
      const forget = () => {
        timer.cancel();
        signal.removeEventListener('abort', onAbort);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      tenant.waiting.push(waiting);
    });
  }

  #hasPlaceFor({ running }: Tenant): boolean {
    return this.#running < this.#options.maxRunning && running < this.#options.maxRunningPerTenant;
  }

  #take(name: string, tenant: Tenant): void {
    this.#running++;
    tenant.running++;
    this.#tenants.delete(name);
    this.#tenants.set(name, tenant);
  }

  #leave(name: string): void {
    const tenant = this.#tenants.get(name);
    if (tenant === undefined) return;
    this.#running--;
    tenant.running--;
    // Tenants that arrived while this one ran are served before it.
    this.#tenants.delete(name);
    if (tenant.running > 0 || tenant.waiting.length > 0) this.#tenants.set(name, tenant);
    this.#startNext();
  }

  #startNext(): void {
    for (const tenant of this.#tenants.values()) {
      if (tenant.waiting.length === 0 || !this.#hasPlaceFor(tenant)) continue;
      tenant.waiting.shift()?.start();
      return;
    }
  }

  #dropIfIdle(name: string, { running, waiting }: Tenant): void {
    if (running === 0 && waiting.length === 0) this.#tenants.delete(name);
  }
}
