/** What the conditions are judged by, from the live views. */
import { X509Certificate } from 'node:crypto';
import { QUARANTINE_TOPIC } from '@databridge/schemas/records/topics';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';
import { readLetters } from '../operations/letters.ts';
import { customerStatuses } from '../views/status.ts';
import type { FleetFacts } from './conditions.ts';

type Context = Pick<
  ControlPlaneContext,
  | 'admin'
  | 'kafka'
  | 'subscriptions'
  | 'workerStatuses'
  | 'workers'
  | 'attemptCounts'
  | 'oldestWaiting'
  | 'retryPlan'
  | 'watermarks'
>;

/** Remembers the count of the quarantine: its topic is read only when it has grown. */
export class FleetReader {
  readonly #context: Context;
  #counted: { readonly end: number; readonly count: number } | undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  async read(): Promise<FleetFacts> {
    const [statuses, subscriptions, quarantined] = await Promise.all([
      customerStatuses(this.#context),
      this.#context.subscriptions(),
      this.#quarantined(),
    ]);
    const customers = statuses.map((status) => {
      const endsAtMs = certificateEnd(subscriptions.get(status.customer));
      return { ...status, ...(endsAtMs !== undefined && { certificateEndsAtMs: endsAtMs }) };
    });
    return { customers, quarantined };
  }

  async #quarantined(): Promise<number> {
    const ends = (await this.#context.watermarks([QUARANTINE_TOPIC])).get(QUARANTINE_TOPIC) ?? [];
    const end = ends.reduce((sum, { high }) => sum + high, 0);
    if (this.#counted?.end === end) return this.#counted.count;
    const letters = new Set<string>();
    await readLetters(this.#context.kafka, QUARANTINE_TOPIC, (some) => {
      for (const { key } of some) letters.add(key);
    });
    this.#counted = { end, count: letters.size };
    return letters.size;
  }
}

/** When the first certificate of the customer's own chain ends. */
function certificateEnd(subscription: Pick<Subscription, 'tls'> | undefined): number | undefined {
  const pem = subscription?.tls?.clientCertificate;
  return pem === undefined ? undefined : new X509Certificate(pem).validToDate.getTime();
}
