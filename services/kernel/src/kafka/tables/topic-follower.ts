import { randomUUID } from 'node:crypto';
import { KafkaAdmin } from '../admin/admin.ts';
import { GroupConsumer } from '../groups/group-consumer.ts';
import type { KafkaSettings } from '../kafkajs/client.ts';
import type { ConsumedBatch } from '../records.ts';
import { patiently } from '../topic-reader.ts';

export interface FollowOptions {
  readonly topic: string;
  /**
   * Starts with the first record appended at that time (ms since the epoch); if omitted, with the next record from now
   * on.
   */
  readonly fromMs?: number;
  /** Called in offset order within a partition, once for each record. */
  onBatch(batch: ConsumedBatch): void;
  /** Called repeatedly while all existing records are read. */
  onDrained?(): void;
}

/**
 * Reads a topic as it grows, until it is stopped. It shares no state with other readers and leaves none behind: its
 * group is private, and deleted at the end.
 */
export class TopicFollower {
  readonly #options: FollowOptions;
  readonly #groupId: string;
  readonly #admin: KafkaAdmin;
  readonly #consumer: GroupConsumer;
  /** The next offset that was not passed on yet, by partition: every rejoin starts from the beginning. */
  readonly #positions = new Map<number, number>();

  constructor(settings: KafkaSettings, options: FollowOptions) {
    this.#options = options;
    this.#groupId = `${settings.clientId}.follows.${options.topic}.${randomUUID()}`;
    this.#admin = new KafkaAdmin(settings);
    this.#consumer = new GroupConsumer(settings, {
      groupId: this.#groupId,
      topics: [options.topic],
      maxWaitMs: 200,
      onJoined: () => {},
      onLost: () => {},
      onBatch: (_membership, batch) => this.#take(batch),
      ...(options.onDrained && { onDrained: () => options.onDrained?.() }),
    });
  }

  /** Resolves when no record from now on is missed. */
  async start(): Promise<void> {
    const { topic, fromMs } = this.#options;
    const starts = await patiently(async () =>
      fromMs === undefined
        ? (await this.#admin.watermarks(topic)).map(({ partition, high }) => ({ partition, offset: high }))
        : await this.#admin.offsetsAtTime(topic, fromMs),
    );
    for (const { partition, offset } of starts) this.#positions.set(partition, offset);
    await this.#admin.setOffsets(
      this.#groupId,
      starts.map((start) => ({ topic, ...start, metadata: '' })),
    );
    await this.#consumer.start();
  }

  async stop(): Promise<void> {
    await this.#consumer.stop();
    // A group that is left behind would disappear by itself, only later.
    await this.#admin.deleteGroup(this.#groupId).catch(() => undefined);
    await this.#admin.disconnect();
  }

  #take(batch: ConsumedBatch): void {
    const position = this.#positions.get(batch.partition) ?? 0;
    this.#positions.set(batch.partition, Math.max(position, batch.nextOffset));
    const records = batch.records.filter(({ offset }) => offset >= position);
    if (records.length > 0) this.#options.onBatch({ ...batch, records });
  }
}
