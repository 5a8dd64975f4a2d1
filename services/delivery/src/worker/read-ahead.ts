import { messageOf } from '@databridge/kernel/errors';
import type { ConsumedBatch } from '@databridge/kernel/kafka/records';
import type { Logger } from '@databridge/kernel/log';
import type { Secret } from '@databridge/kernel/secrets/secret';
import type { Clock, Timer } from '@databridge/kernel/time/clock';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import { subscriptionOf } from './subscription-records.ts';

type Records = Pick<ConsumedBatch, 'records'>;

export interface ReadAheadOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Reads all subscription records once. */
  read(onBatch: (batch: Records) => void): Promise<void>;
  open(subscription: Subscription): Promise<Subscription<Secret>>;
}

/** A worker that does not wait for the session of another one knows its customers earlier. */
const BEGIN_AFTER_MS = 500;
/** The number of customers that are read: a worker runs about a thousand. */
const MAX_CUSTOMERS = 2_000;
/** Secrets of customers that do not run here are forgotten after this time. */
const KEPT_FOR_MS = 60_000;

/**
 * Reads subscriptions and opens their secrets while the worker waits for its group. After a worker was killed, that
 * takes until its session has ended, and the customers then run the sooner. Both results depend on the record alone.
 * Which customers run here, and by which record, is decided afterwards by the group and the table, as ever.
 */
export class ReadAhead {
  readonly #with: ReadAheadOptions;
  /** The latest record of each customer, with what it says. */
  readonly #read = new Map<string, { readonly value: Buffer; readonly subscription: Subscription }>();
  readonly #opened = new Map<Subscription, Promise<Subscription<Secret>>>();
  #timer: Timer | undefined;
  #isWaiting = false;

  constructor(options: ReadAheadOptions) {
    this.#with = options;
  }

  /** Called when the worker begins to wait for its group. */
  begin(): void {
    this.#isWaiting = true;
    this.#timer = this.#with.clock.after(BEGIN_AFTER_MS, () => void this.#readAll());
  }

  /** Called when the wait is over: nothing more is read. */
  end(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    this.#timer?.cancel();
    this.#timer = this.#with.clock.after(KEPT_FOR_MS, () => this.#forget(), { isBackground: true });
  }

  /** Decodes a record, or takes the result for the same bytes. @returns undefined if it is not valid */
  decode(customer: string, value: Buffer): Subscription | undefined {
    const known = this.#read.get(customer);
    return known?.value.equals(value) ? known.subscription : subscriptionOf(customer, value, this.#with.log);
  }

  /** Opens the secrets, unless that is done. */
  open(subscription: Subscription): Promise<Subscription<Secret>> {
    const opened = this.#opened.get(subscription);
    this.#opened.delete(subscription);
    return opened ?? this.#with.open(subscription);
  }

  async #readAll(): Promise<void> {
    const { log, read, open } = this.#with;
    try {
      await read((batch) => this.#take(batch));
      for (const { subscription } of this.#read.values()) {
        if (!this.#isWaiting) return;
        const opened = open(subscription);
        this.#opened.set(subscription, opened);
        // What cannot be opened is reported by the start of its customer.
        await Promise.allSettled([opened]);
      }
    } catch (error) {
      // The table reads all the same.
      log.info({ err: error }, `subscriptions not read ahead: ${messageOf(error)}`);
    }
  }

  #take({ records }: Records): void {
    for (const { key, value } of records) {
      const customer = String(key);
      const subscription = value === null || !this.#isWaiting ? undefined : subscriptionOf(customer, value);
      if (value === null || subscription === undefined) this.#read.delete(customer);
      else if (this.#read.size < MAX_CUSTOMERS) this.#read.set(customer, { value, subscription });
    }
  }

  #forget(): void {
    this.#read.clear();
    this.#opened.clear();
  }
}
