import type { Clock } from '@databridge/kernel/clock';
import type { KafkaAdmin } from '@databridge/kernel/kafka/admin';
import { customerTopics, deliveryTopic } from '@databridge/schemas/records/topics';

/** Many customers start together: they share one listing. */
const LISTING_GOOD_FOR_MS = 2_000;

/** Which topics a customer has beside its main lane, and how those that it needs for the first time are made. */
export class CustomerTopics {
  readonly #admin: Pick<KafkaAdmin, 'listTopics' | 'ensureTopics'>;
  readonly #delays: readonly string[];
  readonly #clock: Clock;
  #listing: { readonly topics: Promise<Map<string, string[]>>; readonly atMs: number } | undefined;

  /** @param delays of the plan in force */
  constructor(admin: Pick<KafkaAdmin, 'listTopics' | 'ensureTopics'>, delays: readonly string[], clock: Clock) {
    this.#admin = admin;
    this.#delays = delays;
    this.#clock = clock;
  }

  /** The customer's retry and dead-letter topics; a record in a lane that the plan has dropped is still due. */
  async existing(customer: string): Promise<readonly string[]> {
    return (await this.#list()).get(customer) ?? [];
  }

  /** @param topic one of the plan's retry topics, or the dead letters */
  async ensure(customer: string, topic: string): Promise<void> {
    const spec = customerTopics(customer, this.#delays).find((one) => one.topic === topic);
    if (spec === undefined) throw new Error(`${topic} is no topic of customer ${customer}`);
    await this.#admin.ensureTopics([spec]);
  }

  #list(): Promise<Map<string, string[]>> {
    const nowMs = this.#clock.monotonicMs();
    if (!this.#listing || nowMs - this.#listing.atMs > LISTING_GOOD_FOR_MS) {
      const topics = this.#admin.listTopics().then(byCustomer);
      this.#listing = { topics, atMs: nowMs };
      topics.catch(() => {
        this.#listing = undefined;
      });
    }
    return this.#listing.topics;
  }
}

const PREFIX = deliveryTopic('');

/** `delivery.<customer>.retry.<delay>` and `delivery.<customer>.dead`, by customer: names have no dot. */
function byCustomer(topics: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const topic of topics) {
    const end = topic.startsWith(PREFIX) ? topic.indexOf('.', PREFIX.length) : -1;
    if (end < 0) continue;
    const customer = topic.slice(PREFIX.length, end);
    const own = found.get(customer);
    if (own) own.push(topic);
    else found.set(customer, [topic]);
  }
  return found;
}
