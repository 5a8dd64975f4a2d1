/**
 * Answers the requests of control planes to this worker for the customers that it owns, whether it runs them or not.
 */
import { randomUUID } from 'node:crypto';
import type { KafkaSettings } from '@databridge/kernel/kafka/kafkajs/client';
import { partitionOfKey } from '@databridge/kernel/kafka/producing/murmur2';
import type { ConsumedRecord } from '@databridge/kernel/kafka/records';
import { TopicFollower } from '@databridge/kernel/kafka/tables/topic-follower';
import type { SealingKey } from '@databridge/kernel/secrets/sealer';
import type { Secret } from '@databridge/kernel/secrets/secret';
import { pause } from '@databridge/kernel/time/pause';
import { attemptsRecord } from '@databridge/schemas/records/attempts';
import { headerText, readDeliveryHeaders } from '@databridge/schemas/records/headers';
import { connectionOf } from '@databridge/schemas/records/status';
import {
  CERTIFICATE_REQUESTS_TOPIC,
  SUBSCRIPTIONS_PARTITIONS,
  WORKER_REQUESTS_TOPIC,
} from '@databridge/schemas/records/topics';
import {
  decodeKeyPairRequest,
  encodeCertificateRequest,
  KEY_PAIR_WITHIN_MS,
  WORKER_REQUEST_HEADER,
} from '@databridge/schemas/requests/worker-requests';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import { attemptReport } from '../attempt/fate.ts';
import { untilConnectionIs } from '../attempt/test-event.ts';
import { makeKeyPair } from '../authorization/certificate-request.ts';
import type { CustomerDependencies } from '../customer/dependencies.ts';
import { OneAtATime } from './one-at-a-time.ts';

export interface WorkerRequestsParts {
  readonly kafka: KafkaSettings;
  /** The current sealing key: delivery workers can open secrets that are sealed with it. */
  readonly sealingKey: SealingKey;
  unseal(subscription: Subscription): Promise<Subscription<Secret>>;
  readonly dependencies: Pick<
    CustomerDependencies,
    'worker' | 'producer' | 'clock' | 'log' | 'messages' | 'openDestination'
  >;
  /** The subscriptions of the customers that this worker owns, sealed. */
  subscriptionOf(customer: string): Subscription | undefined;
  /** Of the subscriptions topic, those that this worker owns: customers that are not there yet belong to them, too. */
  partitions(): readonly number[];
}

const START_AGAIN_AFTER_MS = 5_000;
const CLIENT_KEY = 'tls.clientKey';

export class WorkerRequests {
  readonly #with: WorkerRequestsParts;
  readonly #follower: TopicFollower;
  /** A customer's requests run one after the other, so that many of them take no more than one connection. */
  readonly #inTurn = new OneAtATime();
  readonly #stopping = new AbortController();
  #starting: Promise<void> | undefined;

  constructor(parts: WorkerRequestsParts) {
    this.#with = parts;
    this.#follower = new TopicFollower(parts.kafka, {
      topic: WORKER_REQUESTS_TOPIC,
      onBatch: ({ records }) => {
        for (const record of records) this.#take(record);
      },
    });
  }

  /**
   * Does not wait: deliveries must not wait while the topic does not exist yet (an older control plane does not create
   * it).
   */
  start(): void {
    this.#starting = this.#startWhenPossible();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#starting;
    await this.#follower.stop();
    await this.#inTurn.ended();
  }

  async #startWhenPossible(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        return await this.#follower.start();
      } catch (error) {
        this.#with.dependencies.log.warn(
          { event: 'worker_requests_unread', err: error, retryInMs: START_AGAIN_AFTER_MS },
          'requests of control planes not read',
        );
        await pause(START_AGAIN_AFTER_MS, { signal, clock: this.#with.dependencies.clock });
      }
    }
  }

  #take(record: ConsumedRecord): void {
    const { key, value } = record;
    // Every worker reads every request, and the owner answers it.
    if (key === null || value === null || !this.#owns(key)) return;
    const customer = key.toString('utf8');
    const askedAtMs = this.#with.dependencies.clock.monotonicMs();
    const given = { ...record, value };
    this.#inTurn.run(customer, async () => {
      try {
        if (this.#isAwaited(given, askedAtMs)) await this.#answer(customer, given);
      } catch (error) {
        const kind = headerText(record.headers, WORKER_REQUEST_HEADER);
        this.#with.dependencies.log.error(
          { event: 'worker_request_failed', err: error, customer, kind },
          'worker request failed',
        );
      }
    });
  }

  #owns(key: Buffer): boolean {
    return this.#with.partitions().includes(partitionOfKey(key, SUBSCRIPTIONS_PARTITIONS));
  }

  /** The caller gives up after this time. A request that is executed later would surprise the destination. */
  #isAwaited({ headers }: ConsumedRecord, askedAtMs: number): boolean {
    const { testWithinMs = KEY_PAIR_WITHIN_MS } = readDeliveryHeaders(headers);
    return !this.#stopping.signal.aborted && this.#with.dependencies.clock.monotonicMs() - askedAtMs < testWithinMs;
  }

  async #answer(customer: string, record: ConsumedRecord & { readonly value: Buffer }): Promise<void> {
    switch (headerText(record.headers, WORKER_REQUEST_HEADER)) {
      case 'test':
        return await this.#test(customer, record);
      case 'key-pair':
        return await this.#makeKeyPair(customer, record.value);
      default:
        // The request comes from a newer version.
        return;
    }
  }

  /** Tests a customer that no worker runs: it opens a destination, and closes it afterwards. */
  async #test(customer: string, { offset, key, value, headers }: ConsumedRecord & { value: Buffer }) {
    const { dependencies } = this.#with;
    const { clock, messages, producer, worker } = dependencies;
    const given = this.#with.subscriptionOf(customer);
    if (given === undefined) return;
    const lane = { topic: WORKER_REQUESTS_TOPIC, partition: 0, delayMs: 0 };
    const facts = readDeliveryHeaders(headers);
    const record = { lane, offset, dueAtMs: 0, key, value, facts, copyKey: facts.eventId, bytes: value.length };
    const current = () => this.#with.subscriptionOf(customer);
    // The test uses the subscription that was saved just before it.
    await untilConnectionIs(facts.testConnection, () => connectionOf(current() ?? given), clock);
    const subscription = current();
    if (subscription === undefined) return;
    const destination = dependencies.openDestination(
      await this.#with.unseal(subscription),
      () => undefined,
      () => subscription.ratePerSecond,
    );
    try {
      const atMs = clock.nowMs();
      const message = await messages.render(record, 1, subscription);
      const sent = await destination.send({ ...message, keepsAnswer: true }, atMs, () => current() !== undefined);
      if (sent === undefined) return;
      const report = attemptReport(record, { attempt: 1, atMs }, clock.nowMs() - atMs, sent.outcome, undefined);
      const answer = sent.answerBody === undefined ? {} : { answer: sent.answerBody };
      const attempts = [{ ...report, test: true as const, ...answer }];
      await producer.send([attemptsRecord({ customer, worker, attempts }, randomUUID())]);
    } finally {
      await destination.close();
    }
  }

  /**
   * The private key leaves this function sealed: delivery workers alone can open it. The customer may not be there yet:
   * one that is invited to set itself up asks first.
   */
  async #makeKeyPair(customer: string, value: Buffer): Promise<void> {
    const request = decodeKeyPairRequest(value);
    if (request === undefined) return;
    const { clock, producer, log } = this.#with.dependencies;
    const { id, commonName } = request;
    const { privateKey, csr } = await makeKeyPair(commonName);
    // Loaded with the first request: no other part of a worker seals.
    const { Sealer } = await import('@databridge/kernel/secrets/sealer');
    const sealedKey = await new Sealer(this.#with.sealingKey).seal(privateKey, { customer, place: CLIENT_KEY });
    const made = { id, customer, commonName, csr, sealedKey, madeAtMs: clock.nowMs() };
    await producer.send([{ topic: CERTIFICATE_REQUESTS_TOPIC, key: customer, value: encodeCertificateRequest(made) }]);
    log.info({ customer, request: id }, 'certificate request made');
  }
}
