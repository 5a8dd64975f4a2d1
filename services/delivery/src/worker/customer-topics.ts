import type { Clock } from '@databridge/kernel/clock';
import type { KafkaAdmin } from '@databridge/kernel/kafka/admin';
import { customerTopics, retryTopic } from '@databridge/schemas/records/topics';

/** Many customers start together: they share one listing. */
const LISTING_GOOD_FOR_MS = 2_000;

/** Which retry lanes a customer has: those of the plan, made if they are missing, and those that an older plan left. */
export class CustomerTopics {
  readonly #admin: KafkaAdmin;
  readonly #delays: readonly string[];
  readonly #clock: Clock;
  #listing: { readonly topics: Promise<string[]>; readonly atMs: number } | undefined;

  /** @param delays of the plan in force */
  constructor(admin: KafkaAdmin, delays: readonly string[], clock: Clock) {
    this.#admin = admin;
    this.#delays = delays;
    this.#clock = clock;
  }

  /** @returns the delays of all retry topics of the customer; a record in a lane that was dropped is still due */
  async retryDelays(customer: string): Promise<string[]> {
    const existing = await this.#list();
    const wanted = customerTopics(customer, this.#delays);
    const missing = wanted.filter(({ topic }) => !existing.includes(topic));
    if (missing.length > 0) await this.#admin.ensureTopics(missing);
    const prefix = retryTopic(customer, '');
    const found = existing.filter((topic) => topic.startsWith(prefix)).map((topic) => topic.slice(prefix.length));
    return [...new Set([...this.#delays, ...found])];
  }

  #list(): Promise<string[]> {
    const nowMs = this.#clock.monotonicMs();
    if (!this.#listing || nowMs - this.#listing.atMs > LISTING_GOOD_FOR_MS) {
      const topics = this.#admin.listTopics();
      this.#listing = { topics, atMs: nowMs };
      topics.catch(() => {
        this.#listing = undefined;
      });
    }
    return this.#listing.topics;
  }
}
