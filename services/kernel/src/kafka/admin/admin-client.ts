import type { Admin } from 'kafkajs';
import { Backoff, KAFKA_BACKOFF } from '../../time/backoff.ts';
import { systemClock } from '../../time/clock.ts';
import { pause } from '../../time/pause.ts';
import { KafkaPortError, toPortError } from '../errors.ts';
import { createKafka, type KafkaSettings } from '../kafkajs/client.ts';
import { isSettling } from './admin-failures.ts';

const POLL_EVERY_MS = 50;
const SETTLED_WITHIN_MS = 30_000;

/** The admin client of kafkajs, replaced by a new one after a failure; requests that a settling cluster refuses are repeated. */
export class AdminClient {
  readonly #settings: KafkaSettings;
  #client: Admin;
  #connecting: Promise<void> | undefined;

  constructor(settings: KafkaSettings) {
    this.#settings = settings;
    this.#client = createKafka(settings, 'admin').admin();
  }

  /** The present client, for a request that is repeated anyway if it fails. */
  get current(): Admin {
    return this.#client;
  }

  async disconnect(): Promise<void> {
    await this.#client.disconnect().catch(() => {});
  }

  /**
   * @param doing what the request does, for the error
   * @throws {KafkaPortError}
   */
  async call<T>(doing: string, ask: (admin: Admin) => Promise<T>): Promise<T> {
    const giveUpAtMs = systemClock.monotonicMs() + SETTLED_WITHIN_MS;
    const backoff = new Backoff(KAFKA_BACKOFF);
    for (let unknownTopics = 0; ; ) {
      const client = this.#client;
      let wasConnected = false;
      try {
        this.#connecting ??= client.connect();
        await this.#connecting;
        wasConnected = true;
        const answer = await ask(client);
        if (client !== this.#client) close(client);
        return answer;
      } catch (thrown) {
        const error = toPortError(thrown, doing);
        // Another request failed, and its failure closed the connections of this one.
        const isCutOff = client !== this.#client;
        if (!isCutOff) this.#renewClient();
        close(client);
        if ((isCutOff || (wasConnected && isSettling(thrown))) && systemClock.monotonicMs() < giveUpAtMs) {
          await pause(backoff.next());
          continue;
        }
        // kafkajs keeps requesting the metadata of topics that it was once asked about: one that was deleted fails
        // every later call.
        if (error.code !== 'DB_KAFKA_UNKNOWN_TOPIC' || ++unknownTopics === 2) throw error;
      }
    }
  }

  #renewClient(): void {
    this.#client = createKafka(this.#settings, 'admin').admin();
    this.#connecting = undefined;
  }

  /**
   * Resolves when `isSo` does so with true.
   * @param what the condition, for the error
   * @throws {KafkaPortError} `DB_KAFKA_UNAVAILABLE` after 30 s
   */
  async until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const giveUpAtMs = systemClock.monotonicMs() + SETTLED_WITHIN_MS;
    while (!(await isSo().catch(() => false))) {
      if (systemClock.monotonicMs() > giveUpAtMs)
        throw new KafkaPortError('DB_KAFKA_UNAVAILABLE', `timed out waiting until ${what}`);
      await pause(POLL_EVERY_MS);
    }
  }
}

/**
 * Closes a client that was replaced. Each request that ends on it does so: kafkajs repeats a request whose connection was
 * closed, over a new connection that would stay open otherwise.
 */
function close(client: Admin): void {
  client.disconnect().catch(() => undefined);
}
