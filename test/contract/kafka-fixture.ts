import { setTimeout as delay } from 'node:timers/promises';
import type { GroupConsumerOptions } from '@databridge/kernel/kafka/groups/consumer-options';
import { GroupConsumer } from '@databridge/kernel/kafka/groups/group-consumer';
import type { Membership } from '@databridge/kernel/kafka/groups/membership';
import type { KafkaSettings } from '@databridge/kernel/kafka/kafkajs/client';
import type { ConsumedBatch, ConsumedRecord } from '@databridge/kernel/kafka/records';
import { createLogger } from '@databridge/kernel/log';
import { createRegistry } from '@databridge/kernel/metrics';
import { upstreamKafka } from '../harness/kafka/upstream-kafka.ts';
import { platform } from '../harness/platform.ts';
import { createTopic as createTopicWith } from '../harness/topics.ts';

export function kafkaSettings(): KafkaSettings & Required<Pick<KafkaSettings, 'registry'>> {
  return {
    brokers: platform().brokers,
    clientId: 'contract',
    log: createLogger('contract', process.env['TEST_LOG_LEVEL'] ?? 'silent'),
    registry: createRegistry('contract'),
  };
}

/** Resolves as soon as it is so. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const giveUpAtMs = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > giveUpAtMs) throw new Error(`timed out waiting until ${what}`);
    await delay(10);
  }
}

export async function withUpstreamAdmin<T>(
  ask: (admin: ReturnType<ReturnType<typeof upstreamKafka>['admin']>) => Promise<T>,
): Promise<T> {
  const admin = upstreamKafka(platform().brokers).admin();
  await admin.connect();
  try {
    return await ask(admin);
  } finally {
    await admin.disconnect();
  }
}

export async function createTopic(topic: string, partitions = 1, config: Record<string, string> = {}): Promise<void> {
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
  await withUpstreamAdmin((admin) =>
    createTopicWith(admin, { topic, numPartitions: partitions, replicationFactor: 1, configEntries }),
  );
}

/** With plain kafkajs, to one partition. */
export async function upstreamSend(topic: string, values: readonly string[], partition = 0): Promise<void> {
  const producer = upstreamKafka(platform().brokers).producer({ allowAutoTopicCreation: false });
  await producer.connect();
  await producer.send({ topic, messages: values.map((value) => ({ value, partition })) });
  await producer.disconnect();
}

export interface Received {
  readonly membership: Membership;
  readonly batch: ConsumedBatch;
  readonly wasLeaseHeld: boolean;
}

/** A consumer that writes down all that it is told. */
export class Recorder {
  readonly joined: Membership[] = [];
  readonly lost: Membership[] = [];
  readonly received: Received[] = [];
  readonly failures: Error[] = [];
  readonly consumer: GroupConsumer;

  constructor(
    options: Partial<GroupConsumerOptions> & { groupId: string; topics: readonly string[] },
    settings = kafkaSettings(),
  ) {
    this.consumer = new GroupConsumer(settings, {
      // Long: a machine that stands still for some seconds must not cost a membership.
      sessionTimeoutMs: 30_000,
      heartbeatIntervalMs: 200,
      maxWaitMs: 200,
      ...options,
      onJoined: (membership) => {
        this.joined.push(membership);
        options.onJoined?.(membership);
      },
      onLost: (membership) => {
        this.lost.push(membership);
        options.onLost?.(membership);
      },
      onBatch: (membership, batch) => {
        this.received.push({ membership, batch, wasLeaseHeld: membership.hasLease() });
        return options.onBatch?.(membership, batch);
      },
      onFailure: (error) => this.failures.push(error),
    });
    recorders.push(this);
  }

  get membership(): Membership {
    const latest = this.joined.at(-1);
    if (!latest) throw new Error('has not joined');
    return latest;
  }

  get records(): ConsumedRecord[] {
    return this.received.flatMap(({ batch }) => batch.records);
  }

  get values(): string[] {
    return this.records.map(({ value }) => String(value));
  }

  /** The partitions of the latest membership, sorted. */
  get partitions(): string[] {
    return this.membership.assignment.map(({ topic, partition }) => `${topic}/${partition}`).sort();
  }
}

const recorders: Recorder[] = [];

afterEach(async () => {
  await Promise.all(recorders.splice(0).map(({ consumer }) => consumer.stop()));
});
