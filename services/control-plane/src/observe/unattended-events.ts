import type { ControlPlaneContext } from '../context.ts';
import { waitingRecords } from '../explain/waiting-records.ts';

/** The limit of customers that are read per gathering: when all workers are gone, there may be thousands. */
const MOST_AT_ONCE = 100;

type Context = Pick<ControlPlaneContext, 'admin' | 'kafka' | 'erasures'>;

/**
 * The oldest waiting event of each customer that no worker runs. Workers export it for customers that they run. Nobody
 * delivers the event, so it is read from Kafka once.
 */
export class UnattendedEvents {
  readonly #oldestAtMs = new Map<string, number | undefined>();

  /**
   * Replaces the customers that were known by these.
   * @throws {KafkaPortError}
   */
  async read(context: Context, customers: readonly string[]): Promise<void> {
    const wanted = new Set(customers);
    for (const customer of this.#oldestAtMs.keys()) if (!wanted.has(customer)) this.#oldestAtMs.delete(customer);
    const unread = customers.filter((customer) => !this.#oldestAtMs.has(customer)).slice(0, MOST_AT_ONCE);
    if (unread.length === 0) return;
    const { records } = await waitingRecords(context, unread, { main: 1, retry: 1 });
    const times = Map.groupBy(records, ({ customer }) => customer);
    for (const customer of unread) {
      const atMs = (times.get(customer) ?? []).map(({ facts, atMs }) => facts.intakeAtMs ?? atMs);
      this.#oldestAtMs.set(customer, atMs.length === 0 ? undefined : Math.min(...atMs));
    }
  }

  /** Returns when the event was appended to the intake, in ms since the epoch. undefined: none waits, or it is unknown. */
  oldestAtMs(customer: string): number | undefined {
    return this.#oldestAtMs.get(customer);
  }
}
