import { KAFKA_BACKOFF } from '../../time/backoff.ts';
import { systemClock } from '../../time/clock.ts';
import { retry } from '../../time/retry.ts';
import { KafkaPortError, toPortError } from '../errors.ts';

/** The time for which a count is used: as long as kafkajs uses its own. */
const MAX_AGE_MS = 300_000;
/** Within this time, every broker learns of a topic that was just created. */
const UNKNOWN_TOPIC_PATIENCE_MS = 2_000;

/** The number of partitions of each topic. */
export class PartitionCounts {
  readonly #fetch: (topics: string[]) => Promise<{ topic: string; partitions: number }[]>;
  #known = new Map<string, { partitions: number; atMs: number }>();

  /** @param fetch fails as a whole if one of the topics is unknown */
  constructor(fetch: (topics: string[]) => Promise<{ topic: string; partitions: number }[]>) {
    this.#fetch = fetch;
  }

  of(topic: string): number | undefined {
    const known = this.#known.get(topic);
    return known && systemClock.monotonicMs() - known.atMs < MAX_AGE_MS ? known.partitions : undefined;
  }

  forgetAll(): void {
    this.#known.clear();
  }

  /**
   * Looks up those that aren't known; afterwards `of` knows all but those in the answer.
   *
   * @returns what failed, by topic
   */
  async load(topics: Iterable<string>): Promise<Map<string, KafkaPortError>> {
    const missing = [...new Set(topics)].filter((topic) => this.of(topic) === undefined);
    if (missing.length === 0) return new Map();
    const failure = await this.#tryLoad(missing);
    if (!failure) return new Map();
    // One unknown topic makes the request fail for all.
    const failures = await Promise.all(
      missing.map(async (topic) => [topic, await this.#loadPatiently(topic)] as const),
    );
    return new Map(failures.flatMap(([topic, error]) => (error ? [[topic, error] as const] : [])));
  }

  async #loadPatiently(topic: string): Promise<KafkaPortError | undefined> {
    const load = async () => {
      const failure = await this.#tryLoad([topic]);
      if (failure) throw failure;
    };
    try {
      await retry(load, {
        ...{ limits: KAFKA_BACKOFF, withinMs: UNKNOWN_TOPIC_PATIENCE_MS },
        isRetryable: (failure) => (failure as KafkaPortError).retryable,
      });
      return undefined;
    } catch (failure) {
      return failure as KafkaPortError;
    }
  }

  async #tryLoad(topics: string[]): Promise<KafkaPortError | undefined> {
    try {
      const found = await this.#fetch(topics);
      for (const { topic, partitions } of found)
        this.#known.set(topic, { partitions, atMs: systemClock.monotonicMs() });
      const absent = topics.find((topic) => this.of(topic) === undefined);
      return absent === undefined ? undefined : new KafkaPortError('DB_KAFKA_UNKNOWN_TOPIC', `no topic ${absent}`);
    } catch (error) {
      return toPortError(error, `look up ${topics.length === 1 ? topics[0] : `${topics.length} topics`}`);
    }
  }
}
