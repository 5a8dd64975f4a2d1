import type { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import type { Clock } from '@databridge/kernel/time/clock';
import { customerTopics, deliveryTopic } from '@databridge/schemas/records/topics';

/** Customers that start within this time share one listing of the topics. */
const LISTING_VALID_MS = 2_000;
/** With tens of thousands of topics a listing takes long: this bounds the share of a start that it takes. */
const LISTING_VALID_TIMES_ITS_DURATION = 20;

/** The retry and dead-letter topics of customers: lists those that exist, and creates one before its first record. */
export class CustomerTopics {
  readonly #admin: Pick<KafkaAdmin, 'listTopics' | 'ensureTopics'>;
  readonly #delays: readonly string[];
  readonly #clock: Clock;
  #listing: { readonly topics: Promise<Map<string, string[]>>; validUntilMs: number } | undefined;

  /** @param delays of the current retry plan */
  constructor(admin: Pick<KafkaAdmin, 'listTopics' | 'ensureTopics'>, delays: readonly string[], clock: Clock) {
    this.#admin = admin;
    this.#delays = delays;
    this.#clock = clock;
  }

  /**
   * The customer's existing retry and dead-letter topics, including lanes of an earlier plan, which may still contain
   * records.
   */
  async existing(customer: string): Promise<readonly string[]> {
    return (await this.#list()).get(customer) ?? [];
  }

  /** @param topic one of the plan's retry topics, or the dead-letter topic */
  async ensure(customer: string, topic: string): Promise<void> {
    const spec = customerTopics(customer, this.#delays).find((one) => one.topic === topic);
    if (spec === undefined) throw new Error(`${topic} is no topic of customer ${customer}`);
    await this.#admin.ensureTopics([spec]);
  }

  #list(): Promise<Map<string, string[]>> {
    const nowMs = this.#clock.monotonicMs();
    if (this.#listing && nowMs <= this.#listing.validUntilMs) return this.#listing.topics;
    const listing = { topics: this.#admin.listTopics().then(byCustomer), validUntilMs: Number.POSITIVE_INFINITY };
    this.#listing = listing;
    listing.topics.then(
      () => {
        const tookMs = this.#clock.monotonicMs() - nowMs;
        listing.validUntilMs = nowMs + Math.max(LISTING_VALID_MS, LISTING_VALID_TIMES_ITS_DURATION * tookMs);
      },
      () => {
        this.#listing = undefined;
      },
    );
    return listing.topics;
  }
}

const PREFIX = deliveryTopic('');

/** `delivery.<customer>.retry.<delay>` and `delivery.<customer>.dead`, by customer; customers' names contain no dot. */
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
