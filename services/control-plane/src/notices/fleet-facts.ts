/** Gathers the facts for the conditions from the live views. */
import { X509Certificate } from 'node:crypto';
import type { Invitation } from '@databridge/schemas/records/invitations';
import { QUARANTINE_TOPIC } from '@databridge/schemas/records/topics';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';
import type { CustomerExplanation } from '../explain/explain-customer.ts';
import type { Expiring } from '../observe/expiring-records.ts';
import { readLetters } from '../operations/letters.ts';
import { type CustomerStatus, customerStatuses } from '../views/status.ts';
import type { CustomerFacts, FleetFacts } from './conditions.ts';

type Context = Parameters<typeof customerStatuses>[0] & Pick<ControlPlaneContext, 'kafka' | 'erasures' | 'invitations'>;

type Explain = (customer: string) => Promise<Pick<CustomerExplanation, 'budget' | 'disabling'>>;

/** A customer without a success for this long, with retries waiting, may be on its way to being disabled. */
const SUSPECT_AFTER_MS = 3_600_000;
/** Explaining a customer reads its lanes: so only some are explained at a time, and each not again for a while. */
const EXPLAINED_AT_ONCE = 10;
const EXPLAINED_AGAIN_AFTER_MS = 300_000;

/**
 * Remembers facts that are expensive to find: the number of quarantined records, whose topic is read only if it has
 * grown, and outages.
 */
export class FleetReader {
  readonly #context: Context;
  readonly #explain: Explain;
  readonly #expiring: () => Expiring;
  #counted: { readonly end: number; readonly count: number } | undefined;
  readonly #outages = new Map<string, { readonly atMs: number; readonly outage: CustomerFacts['outage'] }>();

  /** @param expiring the records that retention is about to delete, as found last */
  constructor(context: Context, explain: Explain, expiring: () => Expiring) {
    this.#context = context;
    this.#explain = explain;
    this.#expiring = expiring;
  }

  async read(nowMs: number): Promise<FleetFacts> {
    const [statuses, subscriptions, invitations, quarantined] = await Promise.all([
      customerStatuses(this.#context),
      this.#context.subscriptions(),
      this.#context.invitations(),
      this.#quarantined(),
    ]);
    await this.#updateOutages(
      statuses.filter((status) => isSuspect(status, nowMs)).map(({ customer }) => customer),
      nowMs,
    );
    const answers = latestAnswers(invitations.values());
    const { waiting, deadLetters } = this.#expiring();
    const customers = statuses.map((status): CustomerFacts => {
      const { customer } = status;
      const subscription = subscriptions.get(customer);
      const endsAtMs = certificateEnd(subscription);
      const outage = this.#outages.get(customer)?.outage;
      const fallback = firstFallback(subscription);
      const answered = answers.get(customer);
      return {
        ...status,
        ...(endsAtMs !== undefined && { certificateEndsAtMs: endsAtMs }),
        ...(outage && { outage }),
        ...(fallback && { fallback }),
        ...(answered && { answered: { ...answered, awaitsApproval: subscription?.awaitsApproval === true } }),
        expiring: { waiting: waiting.get(customer) ?? 0, deadLetters: deadLetters.get(customer) ?? 0 },
      };
    });
    return { customers, quarantined };
  }

  async #updateOutages(suspects: readonly string[], nowMs: number): Promise<void> {
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

/** When the first certificate of the customer's own chain expires. */
function certificateEnd(subscription: Pick<Subscription, 'tls'> | undefined): number | undefined {
  const pem = subscription?.tls?.clientCertificate;
  return pem === undefined ? undefined : new X509Certificate(pem).validToDate.getTime();
}

/** During a rotation: the earlier secret whose use ends first. */
function firstFallback(subscription: Pick<Subscription, 'fallbacks'> | undefined): CustomerFacts['fallback'] {
  const ends = Object.entries(subscription?.fallbacks ?? {}).map(([place, { untilMs }]) => ({ place, untilMs }));
  return ends.sort((a, b) => a.untilMs - b.untilMs)[0];
}

function latestAnswers(invitations: Iterable<Invitation>): Map<string, Pick<Invitation, 'kind'> & { atMs: number }> {
  const latest = new Map<string, Pick<Invitation, 'kind'> & { atMs: number }>();
  for (const { customer, kind, state, receipt, changedAtMs } of invitations) {
    const atMs = receipt?.atMs ?? changedAtMs;
    if (state === 'used' && atMs > (latest.get(customer)?.atMs ?? 0)) latest.set(customer, { kind, atMs });
  }
  return latest;
}
