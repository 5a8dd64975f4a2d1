/**
 * One customer's deliveries without Kafka: the same code from a fetched batch to the commit, with everything on, and
 * nothing to wait for but the sink. A process of its own, as `limit-post.ts` is, beside which it is raced.
 */
import { EventEmitter } from 'node:events';
import { AttemptTraces } from '@databridge/delivery/attempt/attempt-traces';
import { EventMessages } from '@databridge/delivery/attempt/event-messages';
import { CommitPace } from '@databridge/delivery/customer/commit-pace';
import { Customer } from '@databridge/delivery/customer/customer';
import { openDestination } from '@databridge/delivery/destination/open-destination';
import { ConnectionBudget } from '@databridge/delivery/egress/connection-budget';
import { Egress } from '@databridge/delivery/egress/dispatcher';
import { EgressGuard } from '@databridge/delivery/egress/egress-guard';
import { ByteBudget } from '@databridge/delivery/lanes/byte-budget';
import { deliveryMetrics } from '@databridge/delivery/metrics';
import { InFlight } from '@databridge/delivery/shares/in-flight';
import { Turns } from '@databridge/delivery/shares/turns';
import { EgressPolicy } from '@databridge/kernel/egress/egress-policy';
import type { Membership } from '@databridge/kernel/kafka/groups/membership';
import type { LaneGroupOptions } from '@databridge/kernel/kafka/lane-reader/group-options';
import type { ConsumedRecord } from '@databridge/kernel/kafka/records';
import { createLogger } from '@databridge/kernel/log';
import { createRegistry } from '@databridge/kernel/metrics';
import { EventReaders } from '@databridge/kernel/registry/event-readers';
import { Secret } from '@databridge/kernel/secrets/secret';
import { systemClock } from '@databridge/kernel/time/clock';
import { startTracing } from '@databridge/kernel/tracing/tracing';
import { loadEventTypes } from '@databridge/schemas/event/event-types';
import { writeDeliveryHeaders } from '@databridge/schemas/records/headers';
import { deliveryTopic } from '@databridge/schemas/records/topics';
import { parseRetryPlan, type RetryPlan } from '@databridge/schemas/retries/retry-plan';
import { mapSecrets } from '@databridge/schemas/subscription/secret-places';
import { parseSubscription } from '@databridge/schemas/subscription/subscription';
import type { PostOrder } from './limit-post.ts';
import { samples } from './samples.ts';

const MIB = 1_048_576;
const CUSTOMER = 'path';
const SCHEMA_ID = 1;
const SIGNING = { secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'] };
/** As large as a fetch often brings. */
const BATCH_RECORDS = 250;
/** Of the events, when tracing is on: as the default of OTEL_TRACES_SAMPLER_ARG has it. */
const TRACED_EVERY = 100;

async function deliver({ url, count, connections }: PostOrder): Promise<void> {
  const eventTypes = loadEventTypes('root-cause=root-cause.events');
  const [eventType] = eventTypes;
  if (eventType === undefined) throw new Error('the event type has a schema');
  const writer = { kind: 'schema', schema: eventType.schemaJson, references: [] } as const;
  const log = createLogger('path', 'silent');
  const readers = new EventReaders({ registry: { writerSchema: async () => writer }, log });
  await readers.load(eventType, SCHEMA_ID);
  const given = {
    ...{ customer: CUSTOMER, eventTypes: [eventType.name], match: 'everything', signing: SIGNING },
    ...{ destination: { type: 'http', url }, maxInFlight: connections },
  };
  const parsed = parseSubscription(given);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  const policy = { allowCidrs: ['127.0.0.0/8'], denyCidrs: [], allowHttp: true };
  const budget = new ConnectionBudget(4_096);
  const egress = new Egress({ guard: new EgressGuard(new EgressPolicy(policy)), budget, maxAgeMs: 300_000 });
  const { OTEL_EXPORTER_OTLP_ENDPOINT } = process.env;
  const tracing = await startTracing('delivery', { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER_ARG: 0.01 }, log);
  const source = new Source(samples(eventType, SCHEMA_ID), eventType.name, count, tracing !== undefined);
  const bytes = new ByteBudget(32 * MIB);
  const customer = new Customer(
    mapSecrets(parsed.subscription, (secret) => new Secret(secret)),
    'same',
    undefined,
    [],
    {
      worker: 'path',
      openGroup: (options) => source.open(options),
      ensureTopic: async () => undefined,
      producer: { send: async () => undefined, connect: async () => undefined, disconnect: async () => undefined },
      messages: new EventMessages(eventTypes, readers),
      budget: bytes,
      inFlight: new InFlight({ requests: 4_096, bytes: 128 * MIB }),
      turns: new Turns(),
      clock: systemClock,
      log,
      ...(tracing && { traces: new AttemptTraces(tracing.tracer) }),
      metrics: deliveryMetrics(
        createRegistry('path'),
        {
          bufferedBytes: () => bytes.bufferedBytes,
          customers: () => 1,
          customersWanted: () => 1,
          connections: () => 1,
        },
        {
          ...{ worker: 'path', clock: systemClock, eventTypes: [eventType.name], shown: 'all' },
          ...{ bufferedBytesLimit: 1, connectionsLimit: 1 },
        },
      ),
      plan: parseRetryPlan('10s*3', 60_000) as RetryPlan,
      breaker: { resetAfterMs: 30_000, minAttempts: 20, failurePercentage: 50, windowMs: 10_000 },
      breakerRotation: new EventEmitter(),
      commitPace: new CommitPace(200, 5_000),
      ...{ statusIntervalMs: 15_000, maxRetryAfterMs: 3_600_000, abortAfterMs: 30_000 },
      openDestination: (subscription) =>
        openDestination(subscription, { egress, maxRetryAfterMs: 3_600_000, webhookOrigin: 'databridge.example' }),
      onDisabled: () => undefined,
    },
  );
  await customer.start(new AbortController().signal);
}

/** A lane in memory, read as a broker would have it read: in batches, and not while it is paused. */
class Source {
  readonly #values: readonly Buffer[];
  readonly #headers: (offset: number) => ConsumedRecord['headers'];
  readonly #count: number;
  #offset = 0;
  #isPaused = false;
  #isReading = false;
  #options: LaneGroupOptions | undefined;

  constructor(values: readonly Buffer[], eventType: string, count: number, isTraced: boolean) {
    this.#values = values;
    this.#count = count;
    this.#headers = (offset) => {
      const written = writeDeliveryHeaders({
        ...{ eventId: `evt_${offset}`, eventType, source: `intake/0/${offset}`, attempt: 0 },
        ...(isTraced &&
          offset % TRACED_EVERY === 0 && { traceparent: `00-${hex(offset + 1, 32)}-${hex(offset + 1, 16)}-01` }),
      });
      return written as ConsumedRecord['headers'];
    };
  }

  open(options: LaneGroupOptions) {
    this.#options = options;
    const at = { topic: deliveryTopic(CUSTOMER), partition: 0 };
    const membership: Membership = {
      ...{ memberId: 'path', assignment: [at], isCurrent: true, continues: undefined },
      hasLease: () => true,
    };
    return {
      start: async () => {
        options.onJoined(membership, []);
        this.#read();
      },
      stop: async () => undefined,
      pause: () => {
        this.#isPaused = true;
      },
      seek: () => undefined,
      resume: () => {
        this.#isPaused = false;
        setImmediate(() => this.#read());
      },
      commit: async () => undefined,
      addTopics: () => undefined,
    };
  }

  #read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    while (!this.#isPaused && this.#offset < this.#count) {
      const from = this.#offset;
      const to = Math.min(this.#count, from + BATCH_RECORDS);
      const records = Array.from({ length: to - from }, (_, n): ConsumedRecord => {
        const offset = from + n;
        const value = this.#values[offset % this.#values.length] as Buffer;
        return { offset, timestampMs: Date.now(), key: null, value, headers: this.#headers(offset) };
      });
      this.#offset = to;
      const place = { topic: deliveryTopic(CUSTOMER), partition: 0 };
      this.#options?.onBatch({ ...place, records, nextOffset: to, highWatermark: this.#count });
    }
    this.#isReading = false;
  }
}

const hex = (n: number, digits: number) => n.toString(16).padStart(digits, '0');

process.on('message', (order: PostOrder) => void deliver(order));
// In good order, so that a profile is written.
process.on('SIGTERM', () => process.exit());
// Nothing else keeps it alive until the order comes.
process.channel?.ref();
process.send?.({ kind: 'ready' });
