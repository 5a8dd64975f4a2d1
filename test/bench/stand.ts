/** A Kafka, a registry and a sink of their own for each row, so that no row works with what another left behind. */
import { setTimeout as delay } from 'node:timers/promises';
import { applySubscriptions } from '@databridge/control-plane/subscriptions/apply';
import { Child, type ChildOptions } from '@databridge/demo/child';
import { Sink } from '@databridge/demo/customers/sink-process';
import { egressPolicy, egressSettings, LOOPBACK_EGRESS } from '@databridge/kernel/egress/egress-settings';
import { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import type { KafkaSettings } from '@databridge/kernel/kafka/kafkajs/client';
import { KafkaProducer } from '@databridge/kernel/kafka/producing/producer';
import { ensureSystemTopics } from '@databridge/kernel/kafka/system-topics';
import { createLogger } from '@databridge/kernel/log';
import { SchemaRegistry } from '@databridge/kernel/registry/schema-registry';
import { generateKeySet, parseKeySet } from '@databridge/kernel/secrets/key-set';
import { SealingDesk } from '@databridge/kernel/secrets/sealing-desk';
import { readConfig } from '@databridge/kernel/settings/config';
import { SERVICE_NODE_FLAGS } from '@databridge/kernel/settings/node-flags';
import { startJvmPlatform } from '@databridge/local-platform/jvm/platform-jvm';
import type { Platform } from '@databridge/local-platform/platform';
import { readMachineConfig } from '@databridge/local-platform/platform-config';
import { type EventType, loadEventTypes } from '@databridge/schemas/event/event-types';
import { DEFAULT_RETRY_DELAYS, deliveryGroup, deliveryTopic, intakeTopic } from '@databridge/schemas/records/topics';
import { parseSubscription } from '@databridge/schemas/subscription/subscription';
import { commitBy, readStoredSubscriptions, viewsByReading } from '../harness/services/without-control-plane.ts';
import { type Load, load } from './loader.ts';
import { samples } from './samples.ts';

export const INTAKE = 'root-cause.events';
const SIGNING = { secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'] };
const egress = egressPolicy(readConfig(egressSettings, LOOPBACK_EGRESS));
const READY_WITHIN_MS = 600_000;
const ASK_EVERY_MS = 100;
/** With 512 MiB, a broker of 10,000 customers' topics collects garbage all the time, and then ends. */
const BROKER_HEAP_MIB = 2_048;

/** What a subscription says beyond customer and URL; what is left out has the product's default. */
export type Wish = { readonly customer: string; readonly path: string } & Record<string, unknown>;

export class Stand {
  readonly kafka: KafkaSettings;
  readonly admin: KafkaAdmin;
  readonly eventType: EventType;
  readonly sink: Sink;
  readonly #producer: KafkaProducer;
  readonly #keys: ReturnType<typeof generateKeySet>;
  readonly #registryUrl: string;
  #schemaId = 0;

  private constructor(platform: Platform, sink: Sink) {
    this.sink = sink;
    this.#registryUrl = platform.registryUrl;
    this.kafka = { brokers: [...platform.brokers], clientId: 'bench', log: createLogger('bench', 'silent') };
    this.admin = new KafkaAdmin(this.kafka);
    this.#producer = new KafkaProducer(this.kafka);
    this.#keys = generateKeySet('bench');
    this.eventType = loadEventTypes(`root-cause=${INTAKE}`)[0] as EventType;
  }

  /** Runs `work` on a fresh stand, and takes that down however it ends. */
  static async with<T>(work: (stand: Stand) => Promise<T>, intakePartitions?: number): Promise<T> {
    const platform = await startJvmPlatform({ ...readMachineConfig(process.env), heapMiB: BROKER_HEAP_MIB });
    const stand = new Stand(platform, await Sink.start());
    try {
      await Promise.all([stand.admin.connect(), stand.#producer.connect()]);
      await stand.admin.ensureTopics([intakeTopic(INTAKE, intakePartitions)]);
      await ensureSystemTopics(stand.admin, [INTAKE]);
      const registry = new SchemaRegistry({ url: stand.#registryUrl });
      const { subject, schemaJson } = stand.eventType;
      const register = () => registry.register(subject, schemaJson).catch(() => undefined);
      stand.#schemaId = (await until('the registry takes the schema', register, (id) => id !== undefined)) ?? 0;
      return await work(stand);
    } finally {
      await Promise.allSettled([stand.#producer.disconnect(), stand.admin.disconnect(), stand.sink.stop()]);
      await platform.stop();
    }
  }

  samples(companies?: readonly string[]): Buffer[] {
    return samples(this.eventType, this.#schemaId, companies);
  }

  async load(what: Load): Promise<void> {
    await load(this.kafka.brokers, what);
  }

  /** Creates topics and subscriptions, signed, for the company of the customer's name. */
  async subscribe(wishes: readonly Wish[]): Promise<void> {
    const given = wishes.map(({ customer, path, ...more }) => {
      const { destination, ...rest } = more;
      const parsed = parseSubscription({
        customer,
        eventTypes: [this.eventType.name],
        match: { company: [customer] },
        destination: { type: 'http', url: this.sink.url(path), ...(destination as object | undefined) },
        signing: SIGNING,
        ...rest,
      });
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
      return { subscription: parsed.subscription, sets: ['state', 'enableEpoch'] as const };
    });
    const context = {
      kafka: this.kafka,
      admin: this.admin,
      producer: this.#producer,
      subscriptions: () => readStoredSubscriptions(this.kafka),
      ...viewsByReading(this.kafka, this.admin),
      commit: commitBy(this.#producer, 'bench'),
      desk: new SealingDesk(parseKeySet(this.#keys.controlPlane)),
      retryDelays: DEFAULT_RETRY_DELAYS,
      log: this.kafka.log,
      egress,
    };
    await applySubscriptions(context, given);
  }

  /** A service as an operator runs it, but for what `env` says. Not yet ready. */
  service(
    name: 'fan-out' | 'delivery',
    env: Record<string, string> = {},
    { nodeFlags = [], onLine }: ChildOptions = {},
  ): Child {
    const main = new URL(`../../services/${name}/src/main.ts`, import.meta.url);
    const all = {
      PATH: process.env['PATH'],
      KAFKA_BROKERS: this.kafka.brokers.join(','),
      SCHEMA_REGISTRY_URL: this.#registryUrl,
      EVENT_TYPES: `${this.eventType.name}=${INTAKE}`,
      DATABRIDGE_KEYS: this.#keys.delivery,
      ...LOOPBACK_EGRESS,
      LOG_LEVEL: 'info',
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: '0',
      ...env,
    };
    return new Child(name, main, all, { nodeFlags: [...SERVICE_NODE_FLAGS, ...nodeFlags], onLine });
  }

  /** The customer's deliveries start over with the first record of its main lane. Nothing of it may run. */
  async rewind(customer: string): Promise<void> {
    const offset = { topic: deliveryTopic(customer), partition: 0, offset: 0, metadata: '' };
    await this.admin.setOffsets(deliveryGroup(customer), [offset]);
  }

  /** How many records there are in the topic. */
  async written(topic: string): Promise<number> {
    return (await this.admin.watermarks(topic)).reduce((sum, { low, high }) => sum + high - low, 0);
  }
}

/** Asks until the answer passes. @throws Error after ten minutes */
export async function until<T>(
  what: string,
  ask: () => Promise<T>,
  passes: (answer: T) => boolean,
  askEveryMs: number = ASK_EVERY_MS,
): Promise<T> {
  const deadlineMs = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const answer = await ask();
    if (passes(answer)) return answer;
    if (performance.now() > deadlineMs) throw new Error(`timed out waiting until ${what}; at last: ${String(answer)}`);
    await delay(askEveryMs);
  }
}
