import { messageOf } from '@databridge/kernel/errors';
import type { Logger } from '@databridge/kernel/log';
import { Backoff, type BackoffLimits } from '@databridge/kernel/time/backoff';
import type { Clock } from '@databridge/kernel/time/clock';
import { effectiveState, type WorkerStatus } from '@databridge/schemas/records/status';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { Customer } from '../customer/customer.ts';

/** The circumstances of one start of a customer. */
export interface CustomerStart {
  /** Aborted when the customer must not run any more: the start then cleans up after itself. */
  readonly signal: AbortSignal;
  /** True if it was paused or disabled until now, as far as this worker knows. */
  readonly wasStopped: boolean;
}

export interface CustomerSlotOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** A random number from 0 to 1: the jitter of retries. The default is `Math.random`. */
  readonly random?: () => number;
  /** Decrypts the customer's secrets and joins its consumer group. */
  start(subscription: Subscription, status: WorkerStatus | undefined, start: CustomerStart): Promise<Customer>;
  /** Applies a changed subscription to a running customer. */
  update(customer: Customer, subscription: Subscription): Promise<void>;
  /** Called when {@link CustomerSlot.running} or {@link CustomerSlot.failure} may have changed. */
  onChange(): void;
}

const BACKOFF: BackoffLimits = { firstMs: 500, longestMs: 30_000 };

/**
 * One customer of this worker. It reconciles the running customer with the wanted subscription, one change at a time:
 *
 *     wanted: no subscription, paused or disabled → stopped, with an empty consumer group (so that offsets can be reset)
 *     wanted: active                              → running with the latest subscription
 */
export class CustomerSlot {
  readonly #with: CustomerSlotOptions;
  #wanted: Subscription | undefined;
  #status: WorkerStatus | undefined;
  #running: { readonly customer: Customer; subscription: Subscription } | undefined;
  #settling: Promise<void> | undefined;
  readonly #backoff: Backoff;
  #failure: string | undefined;
  #wasStopped = false;
  #endWait: (() => void) | undefined;
  /** Aborts the start in progress. */
  #starting: AbortController | undefined;

  constructor(options: CustomerSlotOptions) {
    this.#with = options;
    this.#backoff = new Backoff(BACKOFF, options.random);
  }

  get running(): Customer | undefined {
    return this.#running?.customer;
  }

  /** True if the customer should run here. */
  get isWanted(): boolean {
    return this.#isToRun(this.#wanted);
  }

  /** True if nothing runs, starts or stops, and nothing should: the customer is paused or disabled. */
  get isIdle(): boolean {
    return this.#settling === undefined && this.#running === undefined && !this.#isToRun(this.#wanted);
  }

  /** Why the last change failed; it is being retried. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** True if nothing runs and nothing is wanted: the slot may be dropped. */
  get isUnused(): boolean {
    return this.#wanted === undefined && this.#running === undefined && this.#settling === undefined;
  }

  /** @param subscription with sealed secrets; undefined if it was deleted or its partition moved to another worker */
  want(subscription: Subscription | undefined): void {
    this.#wanted = subscription;
    this.#failure = undefined;
    this.#endWait?.();
    this.#applyChange();
  }

  updateStatus(status: WorkerStatus | undefined): void {
    this.#status = status;
    this.#applyChange();
  }

  #applyChange(): void {
    // A start may wait for unreachable brokers: it is aborted when the customer must not run any more.
    if (this.#wanted !== undefined && !this.#isToRun(this.#wanted)) this.#wasStopped = true;
    if (!this.#isToRun(this.#wanted)) this.#starting?.abort(new Error('the customer is not to run any more'));
    this.#settle();
  }

  #isToRun(wanted: Subscription | undefined): wanted is Subscription {
    return wanted !== undefined && effectiveState(wanted, this.#status) === 'active';
  }

  /** Resolves when no change is pending. */
  async settled(): Promise<void> {
    while (this.#settling) await this.#settling;
  }

  #settle(): void {
    if (this.#settling) return;
    this.#settling = this.#settleNow().finally(() => {
      this.#settling = undefined;
      if (this.#next()) this.#settle();
    });
  }

  async #settleNow(): Promise<void> {
    for (let change = this.#next(); change; change = this.#next()) {
      try {
        await change();
        this.#backoff.reset();
        this.#failure = undefined;
        this.#with.onChange();
      } catch (error) {
        this.#failure = messageOf(error);
        this.#with.onChange();
        const retryInMs = this.#backoff.next();
        this.#with.log.error({ event: 'customer_change_failed', err: error, retryInMs }, 'customer change failed');
        await this.#waitForRetryOrChange(retryInMs);
      }
    }
  }

  #waitForRetryOrChange(retryInMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#with.clock.after(retryInMs, resolve);
      this.#endWait = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  /** The next change; undefined if the running customer matches the wanted subscription. */
  #next(): (() => Promise<void>) | undefined {
    const wanted = this.#wanted;
    const running = this.#running;
    if (!this.#isToRun(wanted)) {
      return running && (() => this.#stop(running.customer));
    }
    if (!running) return () => this.#start(wanted);
    if (running.subscription !== wanted) return () => this.#update(running.customer, wanted);
    return undefined;
  }

  async #start(subscription: Subscription): Promise<void> {
    const starting = new AbortController();
    this.#starting = starting;
    try {
      const start = { signal: starting.signal, wasStopped: this.#wasStopped };
      const customer = await this.#with.start(subscription, this.#status, start);
      this.#wasStopped = false;
      this.#running = { customer, subscription };
    } catch (error) {
      if (!starting.signal.aborted) throw error;
    } finally {
      this.#starting = undefined;
    }
  }

  async #update(customer: Customer, subscription: Subscription): Promise<void> {
    await this.#with.update(customer, subscription);
    this.#running = { customer, subscription };
  }

  async #stop(customer: Customer): Promise<void> {
    this.#running = undefined;
    await customer.stop();
  }
}
