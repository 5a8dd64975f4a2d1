/** What the conditions are judged by, from the live views. */
import { X509Certificate } from 'node:crypto';
import { QUARANTINE_TOPIC } from '@databridge/schemas/records/topics';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';
import type { CustomerExplanation } from '../explain/explain-customer.ts';
import { readLetters } from '../operations/letters.ts';
import { type CustomerStatus, customerStatuses } from '../views/status.ts';
import type { CustomerFacts, FleetFacts } from './conditions.ts';

type Context = Parameters<typeof customerStatuses>[0] & Pick<ControlPlaneContext, 'kafka' | 'erasures'>;

type Explain = (customer: string) => Promise<Pick<CustomerExplanation, 'budget' | 'disabling'>>;

/** A customer without a success for so long, while retries wait, may be on its way to being disabled. */
const SUSPECT_AFTER_MS = 3_600_000;
/** To explain a customer reads its lanes: so only some are explained at a time, and each not for a while after. */
const EXPLAINED_AT_ONCE = 10;
const EXPLAINED_AGAIN_AFTER_MS = 300_000;

/** Remembers what is dear to find: the count of the quarantine, whose topic is read only when it has grown, and outages. */
export class FleetReader {
  readonly #context: Context;
  readonly #explain: Explain;
  #counted: { readonly end: number; readonly count: number } | undefined;
  readonly #outages = new Map<string, { readonly atMs: number; readonly outage: CustomerFacts['outage'] }>();

  constructor(context: Context, explain: Explain) {
    this.#context = context;
    this.#explain = explain;
  }

  async read(nowMs: number): Promise<FleetFacts> {
    const [statuses, subscriptions, quarantined] = await Promise.all([
      customerStatuses(this.#context),
      this.#context.subscriptions(),
      this.#quarantined(),
    ]);
    await this.#findOutages(
      statuses.filter((status) => isSuspect(status, nowMs)).map(({ customer }) => customer),
      nowMs,
    );
    const customers = statuses.map((status): CustomerFacts => {
      const endsAtMs = certificateEnd(subscriptions.get(status.customer));
      const outage = this.#outages.get(status.customer)?.outage;
      return { ...status, ...(endsAtMs !== undefined && { certificateEndsAtMs: endsAtMs }), ...(outage && { outage }) };
    });
    return { customers, quarantined };
  }

  async #findOutages(suspects: readonly string[], nowMs: number): Promise<void> {
    for (const customer of this.#outages.keys()) if (!suspects.includes(customer)) this.#outages.delete(customer);
    const dueAtMs = (customer: string) => (this.#outages.get(customer)?.atMs ?? 0) + EXPLAINED_AGAIN_AFTER_MS;
    const due = suspects.filter((customer) => dueAtMs(customer) <= nowMs).sort((a, b) => dueAtMs(a) - dueAtMs(b));
    for (const customer of due.slice(0, EXPLAINED_AT_ONCE)) {
      const { budget, disabling } = await this.#explain(customer);
      const isOne = budget !== undefined && disabling !== undefined;
      const outage = isOne ? { sinceMs: nowMs - budget.usedMs, disablesAtMs: disabling.atMs } : undefined;
      this.#outages.set(customer, { atMs: nowMs, outage });
    }
  }

  async #quarantined(): Promise<number> {
    const ends = (await this.#context.watermarks([QUARANTINE_TOPIC])).get(QUARANTINE_TOPIC) ?? [];
    const end = ends.reduce((sum, { high }) => sum + high, 0);
    if (end === 0) return 0;
    if (this.#counted?.end === end) return this.#counted.count;
    const letters = new Set<string>();
    await readLetters(this.#context, QUARANTINE_TOPIC, (some) => {
      for (const { key } of some) letters.add(key);
    });
    this.#counted = { end, count: letters.size };
    return letters.size;
  }
}

function isSuspect({ state, worker, lagByLane }: CustomerStatus, nowMs: number): boolean {
  const { main: _, ...retries } = lagByLane;
  const hasRetries = Object.values(retries).some((records) => records > 0);
  return state === 'active' && hasRetries && nowMs - (worker?.lastSuccessAtMs ?? 0) >= SUSPECT_AFTER_MS;
}

/** When the first certificate of the customer's own chain ends. */
function certificateEnd(subscription: Pick<Subscription, 'tls'> | undefined): number | undefined {
  const pem = subscription?.tls?.clientCertificate;
  return pem === undefined ? undefined : new X509Certificate(pem).validToDate.getTime();
}
