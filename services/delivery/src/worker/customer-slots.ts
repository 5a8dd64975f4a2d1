import { messageOf } from '@databridge/kernel/errors';
import type { LaneReader } from '@databridge/kernel/kafka/lane-reader/lane-reader';
import type { Logger } from '@databridge/kernel/log';
import type { Secret } from '@databridge/kernel/secrets/secret';
import type { Clock } from '@databridge/kernel/time/clock';
import { connectionOf, type WorkerStatus } from '@databridge/schemas/records/status';
import { deliveryGroup } from '@databridge/schemas/records/topics';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import pLimit from 'p-limit';
import { Customer } from '../customer/customer.ts';
import type { CustomerDependencies } from '../customer/dependencies.ts';
import { CustomerSlot, type CustomerStart } from './customer-slot.ts';
import type { CustomerTopics } from './customer-topics.ts';
import { StartGarbage } from './start-garbage.ts';

export interface CustomerSlotsOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly dependencies: CustomerDependencies;
  readonly topics: Pick<CustomerTopics, 'existing'>;
  readonly lanes: Pick<LaneReader, 'evictDead'>;
  unseal(subscription: Subscription): Promise<Subscription<Secret>>;
  /** The last known status record of a customer. */
  statusOf(customer: string): WorkerStatus | undefined;
  /** Called when the customers that run, or their failures, may have changed. */
  onChange(): void;
}

/** The number of customers whose secrets are decrypted at the same time. */
const PREPARED_AT_ONCE = 64;

/** The slots of a worker's customers: starts, changes and releases each of them. */
export class CustomerSlots {
  readonly #with: CustomerSlotsOptions;
  readonly #slots = new Map<string, CustomerSlot>();
  readonly #prepareLimit = pLimit(PREPARED_AT_ONCE);
  readonly #garbage: StartGarbage;

  constructor(options: CustomerSlotsOptions) {
    this.#with = options;
    this.#garbage = new StartGarbage(options.log, options.clock);
  }

  /** The customers that run here at present. */
  running(): Customer[] {
    return [...this.#slots.values()].flatMap((slot) => slot.running ?? []);
  }

  /** The number of customers that should run here. */
  get wantedCount(): number {
    return [...this.#slots.values()].filter(({ isWanted }) => isWanted).length;
  }

  /** The customers whose last change failed, with the reason. */
  failing(): { readonly customer: string; readonly because: string }[] {
    return [...this.#slots].flatMap(([customer, { failure }]) =>
      failure === undefined ? [] : [{ customer, because: failure }],
    );
  }

  /** Makes a customer of this worker match its subscription. */
  want(customer: string, subscription: Subscription): void {
    this.#slot(customer).want(subscription);
  }

  /** Makes the customers of this worker match exactly these subscriptions. */
  wantOnly(owned: ReadonlyMap<string, Subscription>): void {
    for (const [customer, subscription] of owned) this.want(customer, subscription);
    for (const customer of this.#slots.keys()) if (!owned.has(customer)) this.release(customer);
    this.#with.log.info({ customers: owned.size }, 'worker caught up; its customers are started');
    for (const customer of owned.keys()) if (this.#slot(customer).isIdle) void this.#evictDead(customer);
  }

  updateStatus(customer: string, status: WorkerStatus | undefined): void {
    this.#slots.get(customer)?.updateStatus(status);
  }

  /** Releases a customer that was deleted or belongs to another worker, with its series once it has stopped. */
  release(customer: string): void {
    const slot = this.#slots.get(customer);
    if (slot === undefined) return;
    slot.want(undefined);
    void slot.settled().then(() => {
      // The customer may have come back in the meantime.
      if (!slot.isUnused || this.#slots.get(customer) !== slot) return;
      this.#slots.delete(customer);
      this.#with.dependencies.metrics.book.drop(customer);
    });
  }

  /** Resolves when no customer runs any more. */
  async stop(): Promise<void> {
    for (const slot of this.#slots.values()) slot.want(undefined);
    await Promise.all([...this.#slots.values()].map((slot) => slot.settled()));
  }

  /** Evicts a dead worker's member from the group of a customer that does not run: that group must be empty. */
  async #evictDead(customer: string): Promise<void> {
    const { lanes, log } = this.#with;
    try {
      const isEvicted = await this.#prepareLimit(() => lanes.evictDead(deliveryGroup(customer)));
      if (isEvicted) log.info({ customer }, 'dead member evicted');
    } catch (error) {
      log.warn(
        { event: 'dead_member_kept', err: error, customer },
        `dead member not evicted; its session ends by itself: ${messageOf(error)}`,
      );
    }
  }

  #slot(customer: string): CustomerSlot {
    const known = this.#slots.get(customer);
    if (known) return known;
    const { clock, log, unseal, statusOf, onChange } = this.#with;
    const slot = new CustomerSlot({
      clock,
      log: log.child({ customer }),
      start: (subscription, status, start) => this.#start(subscription, status, start),
      update: async (running, subscription) => running.update(await unseal(subscription), connectionOf(subscription)),
      onChange,
    });
    slot.updateStatus(statusOf(customer));
    this.#slots.set(customer, slot);
    return slot;
  }

  async #start(
    subscription: Subscription,
    status: WorkerStatus | undefined,
    { signal, wasStopped }: CustomerStart,
  ): Promise<Customer> {
    const { unseal, topics, dependencies } = this.#with;
    let isStarted = false;
    this.#garbage.noteBegin();
    try {
      const [unsealed, existing] = await this.#prepareLimit(() =>
        Promise.all([unseal(subscription), topics.existing(subscription.customer)]),
      );
      signal.throwIfAborted();
      const customer = new Customer(unsealed, connectionOf(subscription), status, existing, dependencies);
      if (wasStopped) customer.noteResumed();
      try {
        await customer.start(signal);
      } catch (error) {
        await customer.stop();
        throw error;
      }
      isStarted = true;
      return customer;
    } finally {
      this.#garbage.noteEnd(isStarted);
    }
  }
}
