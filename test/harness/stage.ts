import type { ControlPlaneContext } from '@databridge/control-plane/context';
import { egressPolicy, egressSettings, LOOPBACK_EGRESS } from '@databridge/kernel/egress/egress-settings';
import { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { KafkaProducer } from '@databridge/kernel/kafka/producing/producer';
import type { ConsumedRecord } from '@databridge/kernel/kafka/records';
import { ensureSystemTopics } from '@databridge/kernel/kafka/system-topics';
import { readTopicIfAny } from '@databridge/kernel/kafka/topic-reader';
import { createLogger } from '@databridge/kernel/log';
import { generateKeySet, parseKeySet } from '@databridge/kernel/secrets/key-set';
import { SealingDesk } from '@databridge/kernel/secrets/sealing-desk';
import { readConfig } from '@databridge/kernel/settings/config';
import { deliveryGroup } from '@databridge/schemas/records/topics';
import { eventually } from './eventually.ts';
import { platform } from './platform.ts';
import { startUpstream, type UpstreamProducer } from './produce.ts';
import { type ServiceProcess, startService } from './services/processes.ts';
import { StageApi } from './services/stage-api.ts';
import { commitBy, readStoredSubscriptions, viewsByReading } from './services/without-control-plane.ts';
import { freshName } from './topics.ts';

/** Short enough to see an event through all lanes in a test. */
const SHORT_PLAN = '1s*2,2s*2';
const SHORT_DELAYS = ['1s', '2s'];
const loopbackEgress = egressPolicy(readConfig(egressSettings, LOOPBACK_EGRESS));

export interface StageOptions {
  /** Added to the delivery worker's environment. */
  readonly delivery?: Record<string, string>;
  readonly fanOut?: Record<string, string>;
  /** Beside root-cause, with their intake topics, as EVENT_TYPES has them. */
  readonly alsoEventTypes?: readonly string[];
}

/** Both services as real processes on this worker's platform, an upstream producer, and the operations of the control plane. */
export class Stage {
  readonly admin: KafkaAdmin;
  readonly upstream: UpstreamProducer;
  readonly fanOut: ServiceProcess;
  readonly #kafka: ConstructorParameters<typeof KafkaProducer>[0];
  readonly #producer: KafkaProducer;
  /** The key ring that secrets are sealed under, as control planes have it. */
  readonly keys: string;
  /** Of delivery workers. */
  readonly openingKeys: string;
  /** The delivery worker's, without the addresses of the platform. */
  readonly deliveryEnv: Readonly<Record<string, string>>;
  #delivery: ServiceProcess;
  #api: Promise<StageApi> | undefined;

  private constructor(parts: {
    kafka: ConstructorParameters<typeof KafkaProducer>[0];
    admin: KafkaAdmin;
    producer: KafkaProducer;
    upstream: UpstreamProducer;
    fanOut: ServiceProcess;
    delivery: ServiceProcess;
    keys: string;
    openingKeys: string;
    deliveryEnv: Record<string, string>;
  }) {
    this.#kafka = parts.kafka;
    this.admin = parts.admin;
    this.#producer = parts.producer;
    this.upstream = parts.upstream;
    this.fanOut = parts.fanOut;
    this.#delivery = parts.delivery;
    this.keys = parts.keys;
    this.openingKeys = parts.openingKeys;
    this.deliveryEnv = parts.deliveryEnv;
  }

  static async start(options: StageOptions = {}): Promise<Stage> {
    const kafka = { brokers: platform().brokers, clientId: 'stage', log: createLogger('stage', 'silent') };
    const admin = new KafkaAdmin(kafka);
    const producer = new KafkaProducer(kafka);
    await Promise.all([admin.connect(), producer.connect()]);
    const intake = freshName('intake');
    await ensureSystemTopics(admin, [intake]);
    const upstream = await startUpstream(intake);
    const { controlPlane: keys, delivery: openingKeys } = generateKeySet('test');
    const eventTypes = { EVENT_TYPES: [`root-cause=${upstream.topic}`, ...(options.alsoEventTypes ?? [])].join(',') };
    const deliveryEnv = {
      ...eventTypes,
      ...LOOPBACK_EGRESS,
      DATABRIDGE_KEYS: openingKeys,
      RETRY_PLAN: SHORT_PLAN,
      ...options.delivery,
    };
    const [fanOut, delivery] = await Promise.all([
      startService('fan-out', { ...eventTypes, ...options.fanOut }),
      startService('delivery', deliveryEnv),
    ]);
    const stage = new Stage({ kafka, admin, producer, upstream, fanOut, delivery, keys, openingKeys, deliveryEnv });
    open.add(stage);
    return stage;
  }

  get delivery(): ServiceProcess {
    return this.#delivery;
  }

  /** Another worker in place of the one that was stopped or killed. */
  async restartDelivery(env: Record<string, string> = {}): Promise<ServiceProcess> {
    this.#delivery = await startService('delivery', { ...this.deliveryEnv, ...env });
    return this.#delivery;
  }

  /** One more worker beside it. */
  async anotherWorker(env: Record<string, string> = {}): Promise<ServiceProcess> {
    return await startService('delivery', { ...this.deliveryEnv, ...env });
  }

  /** What the control plane's operations work with. */
  get operations(): ControlPlaneContext {
    return {
      kafka: this.#kafka,
      admin: this.admin,
      producer: this.#producer,
      subscriptions: () => readStoredSubscriptions(this.#kafka),
      ...viewsByReading(this.#kafka, this.admin),
      commit: commitBy(this.#producer, 'stage'),
      desk: new SealingDesk(parseKeySet(this.keys)),
      retryDelays: SHORT_DELAYS,
      egress: loopbackEgress,
      log: this.#kafka.log,
    };
  }

  /** Made at the first call. */
  api(): Promise<StageApi> {
    this.#api ??= StageApi.open(this.operations);
    return this.#api;
  }

  /**
   * Puts a customer's subscription by the API; whatever is left out has a working default. Returns when it counts: when
   * fan-out knows a new customer, and when the worker has taken the change of one that it runs. One that was stopped
   * starts as it is then.
   */
  async subscribe(customer: string, url: string, more: Record<string, unknown> = {}): Promise<void> {
    const { destination, ...rest } = more;
    const taken = this.changeTaken(customer);
    const body = {
      eventTypes: ['root-cause'],
      match: { company: [customer] },
      destination: { type: 'http', url, ...(destination as object) },
      state: 'active',
      ...rest,
    };
    const before = await (await this.api()).put(customer, body);
    if (before === undefined) await this.fanOutKnowsAll();
    else if (before === 'active' && body.state === 'active') await taken();
  }

  /**
   * Resolves when fan-out knows every customer: what comes before goes to nobody. By their number, which a deletion that
   * it has not read yet makes too large. A fan-out that was ended is not waited for.
   */
  async fanOutKnowsAll(): Promise<void> {
    const { size } = await readStoredSubscriptions(this.#kafka);
    await eventually(
      () => this.fanOut.metrics().catch(() => undefined),
      (metrics) =>
        metrics === undefined || Number(/^databridge_fan_out_subscriptions{.*} (\d+)$/m.exec(metrics)?.[1]) >= size,
    );
  }

  /**
   * To be called before a customer that this stage's worker runs is changed.
   * @returns resolves when the worker has taken the change: what is sent from then on is sent by it
   */
  changeTaken(customer: string): () => Promise<void> {
    const { delivery } = this;
    const changes = () =>
      delivery.logs.filter((line) => line['customer'] === customer && line.msg === 'subscription changed').length;
    const before = changes();
    return async () => void (await delivery.waitForLog(() => changes() > before));
  }

  /** Pauses customers, and resolves when the worker has no request of theirs in flight any more. */
  async pause(customers: readonly string[]): Promise<void> {
    for (const customer of customers) await (await this.api()).act(customer, 'pause');
    const inFlight = /^databridge_delivery_in_flight{.*customer="([^"]+)".*} (\d+)$/gm;
    await eventually(
      async () => [...(await this.delivery.metrics()).matchAll(inFlight)],
      (found) => found.every(([, customer = '', count]) => count === '0' || !customers.includes(customer)),
    );
  }

  /** Everything in a topic at this moment. */
  async read(topic: string): Promise<ConsumedRecord[]> {
    const records: ConsumedRecord[] = [];
    await readTopicIfAny(this.#kafka, topic, { onBatch: (batch) => void records.push(...batch.records) });
    return records;
  }

  /** How many records of the topic its customer's group has not done: from the committed offset to the end. */
  async lag(customer: string, topic: string): Promise<number> {
    const committed = await this.admin.committedOffsets(deliveryGroup(customer));
    // Retry lanes are made when they are first written to.
    if (!(await this.admin.listTopics()).includes(topic)) return 0;
    const ends = await this.admin.watermarks(topic);
    return ends.reduce((sum, { partition, low, high }) => {
      const found = committed.find((one) => one.topic === topic && one.partition === partition);
      return sum + high - (found?.offset ?? low);
    }, 0);
  }

  async close(): Promise<void> {
    await (await this.#api)?.close();
    await Promise.all([this.fanOut.kill(), this.#delivery.kill()]);
    await Promise.all([this.upstream.stop(), this.#producer.disconnect(), this.admin.disconnect()]);
  }
}

const open = new Set<Stage>();

afterAll(async () => {
  await Promise.all([...open].map((stage) => stage.close()));
});
