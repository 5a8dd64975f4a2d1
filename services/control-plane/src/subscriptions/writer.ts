import { DatabridgeError, messageOf } from '@databridge/kernel/errors';
import type { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { oneMemberAssigner } from '@databridge/kernel/kafka/groups/assigners';
import { GroupConsumer } from '@databridge/kernel/kafka/groups/group-consumer';
import type { Membership } from '@databridge/kernel/kafka/groups/membership';
import type { KafkaSettings } from '@databridge/kernel/kafka/kafkajs/client';
import { TransactionalProducer } from '@databridge/kernel/kafka/producing/transactional-producer';
import { CompactedTable } from '@databridge/kernel/kafka/tables/compacted-table';
import { Backoff, KAFKA_BACKOFF } from '@databridge/kernel/time/backoff';
import { systemClock } from '@databridge/kernel/time/clock';
import { pause } from '@databridge/kernel/time/pause';
import type { Actor } from '@databridge/schemas/records/audit';
import {
  AUDIT_TOPIC,
  CERTIFICATE_REQUESTS_TOPIC,
  CONTROL_PLANE_GROUP,
  CONTROL_PLANE_TOPIC,
  CONTROL_PLANE_TRANSACTIONAL_ID,
  ERASED_TOPIC,
  IDEMPOTENCY_TOPIC,
  INVITATIONS_TOPIC,
  NOTICES_TOLD_TOPIC,
  NOTICES_TOPIC,
  OPERATIONS_TOPIC,
  SUBSCRIPTIONS_TOPIC,
} from '@databridge/schemas/records/topics';
import { KnownOwner, type Owner, signOwner } from '../forwarding/owner-record.ts';
import type { PeerKeys } from '../forwarding/peer-keys.ts';
import { type Commit, recordsOf } from './changes.ts';
import type { SubscriptionTable } from './subscription-table.ts';

export interface WriterOptions {
  readonly kafka: KafkaSettings;
  readonly admin: Pick<KafkaAdmin, 'watermarks'>;
  readonly table: Pick<SubscriptionTable, 'readUpTo'>;
  /** The keys that sign and verify the owner's record. */
  readonly peers: PeerKeys;
  /** Without a heartbeat for this long, another control plane takes over. */
  readonly sessionTimeoutMs: number;
  /** Called when this control plane has become the writer: it resumes the operations that others left unfinished. */
  readonly onTerm?: () => void;
}

const OWNER_KEY = 'owner';

/**
 * The right to write, which one control plane has at a time:
 *
 *     standby ──owns the partition──▶ owner ──a change comes──▶ writing, in a term
 *        ▲                             │ ▲                        │
 *        └──────── membership lost ────┘ └── the term is over ◀───┘ by any failure, or fenced
 *
 * The group only decides which control plane should write. Kafka guarantees that no other does: a term begins by taking
 * over the single transactional id, which fences the previous writer, even a frozen one. Within a term, every decision
 * depends on state that was read to its end after the term began; when the term ends, such decisions become invalid.
 */
export class Writer {
  readonly #options: WriterOptions;
  readonly #consumer: GroupConsumer;
  /** The owner's record as it was written, signed. */
  readonly #owners: CompactedTable<string>;
  readonly #knownOwner: KnownOwner;
  #membership: Membership | undefined;
  #origin: string | undefined;
  #term: Promise<TransactionalProducer> | undefined;
  #isStopped = false;
  /** The last change of each customer: the next one waits for it. */
  readonly #last = new Map<string, Promise<unknown>>();

  constructor(options: WriterOptions) {
    const { kafka, peers, sessionTimeoutMs } = options;
    this.#options = options;
    this.#owners = new CompactedTable<string>(kafka, {
      topic: CONTROL_PLANE_TOPIC,
      maxWaitMs: 200,
      decode: (_key, value) => value.toString('utf8'),
    });
    this.#knownOwner = new KnownOwner(peers, () => {
      kafka.log.error(
        { event: 'owner_record_refused', topic: CONTROL_PLANE_TOPIC },
        'record of the writing control plane rejected: not signed by a known key',
      );
    });
    this.#consumer = new GroupConsumer(kafka, {
      groupId: CONTROL_PLANE_GROUP,
      topics: [CONTROL_PLANE_TOPIC],
      isCounted: true,
      sessionTimeoutMs,
      heartbeatIntervalMs: sessionTimeoutMs / 6,
      assigners: [oneMemberAssigner],
      onJoined: (membership) => {
        this.#membership = membership;
        // Another control plane may have been the writer in between: the state of the earlier term is out of date then.
        if (membership.continues === undefined) this.#endTerm();
        if (membership.assignment.length > 0) void this.#takeOver(membership);
      },
      onLost: () => undefined,
      onBatch: () => undefined,
    });
  }

  /** @param url the address at which other control planes reach this one: an http(s) origin */
  async start(url: string): Promise<void> {
    this.#origin = new URL(url).origin;
    await this.#owners.start();
    await this.#owners.caughtUp();
    await this.#consumer.start();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.allSettled(this.#last.values());
    await this.#consumer.stop();
    await this.#owners.stop();
    await (await this.#term?.catch(() => undefined))?.close();
  }

  /** True if this control plane is the writer, as far as it knows. */
  get isOwner(): boolean {
    const membership = this.#membership;
    return membership !== undefined && membership.assignment.length > 0 && membership.hasLease() && !this.#isStopped;
  }

  /** The address at which other control planes reach this one; undefined before the start. */
  get origin(): string | undefined {
    return this.#origin;
  }

  /** @returns the control plane that makes the changes, if it is another one and its record is signed */
  async owner(): Promise<Owner | undefined> {
    const owner = await this.#knownOwner.read(this.#owners.get(OWNER_KEY));
    return owner?.origin === this.#origin ? undefined : owner;
  }

  /**
   * Makes a change: those of one customer run one after the other, those of several in parallel.
   * @param customer omitted if it concerns none
   * @param run decides by the state that it reads once it is called, and commits with the function that it receives
   * @throws {DatabridgeError} DB_NOT_THE_WRITER, and then nothing was called
   */
  async change<T>(who: Actor, customer: string | undefined, run: (commit: Commit) => Promise<T>): Promise<T> {
    const place = customer ?? '';
    const before = this.#last.get(place);
    const mine = (async () => {
      await before?.catch(() => undefined);
      const producer = await this.#currentTerm();
      return await run((changes) => this.#commit(producer, changes, who));
    })();
    this.#last.set(place, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(place) === mine) this.#last.delete(place);
    }
  }

  async #commit(producer: TransactionalProducer, changes: Parameters<Commit>[0], who: Actor): Promise<void> {
    if (changes.length === 0) return;
    const written = await producer.commit(recordsOf(changes, who, systemClock.nowMs()));
    // A change is acknowledged only when every control plane can read it: so it waits until it is visible as committed.
    await this.#options.table.readUpTo(written.filter(({ topic }) => topic === SUBSCRIPTIONS_TOPIC));
  }

  /** @throws {DatabridgeError} DB_NOT_THE_WRITER */
  async #currentTerm(): Promise<TransactionalProducer> {
    const known = await this.#term?.catch(() => undefined);
    if (!this.isOwner)
      throw new DatabridgeError(
        'DB_NOT_THE_WRITER',
        'This control plane is not the writer; the request must go to the one that is',
      );
    if (known !== undefined && !known.isOver) return known;
    return await this.#beginTerm();
  }

  /** One term begins at a time: two would fence each other. */
  #beginTerm(): Promise<TransactionalProducer> {
    const before = this.#term;
    const term = (async () => {
      const last = await before?.catch(() => undefined);
      if (last !== undefined && !last.isOver) return last;
      return await this.#openTerm();
    })();
    this.#term = term;
    term.catch(() => undefined);
    return term;
  }

  async #openTerm(): Promise<TransactionalProducer> {
    const { admin, kafka } = this.#options;
    const topics = [
      SUBSCRIPTIONS_TOPIC,
      AUDIT_TOPIC,
      CONTROL_PLANE_TOPIC,
      OPERATIONS_TOPIC,
      IDEMPOTENCY_TOPIC,
      INVITATIONS_TOPIC,
      CERTIFICATE_REQUESTS_TOPIC,
      NOTICES_TOPIC,
      NOTICES_TOLD_TOPIC,
      ERASED_TOPIC,
    ];
    const counts = await Promise.all(topics.map(async (topic) => (await admin.watermarks(topic)).length));
    const partitions = new Map(topics.map((topic, at) => [topic, counts[at] ?? 1]));
    const producer = await TransactionalProducer.open(kafka, {
      transactionalId: CONTROL_PLANE_TRANSACTIONAL_ID,
      partitions,
    });
    try {
      // All records of earlier owners are in the log by now: their producers are fenced.
      await this.#owners.refreshed();
      const last = await this.#knownOwner.read(this.#owners.get(OWNER_KEY));
      const owner = { origin: this.#origin ?? '', term: Math.max((last?.term ?? 0) + 1, systemClock.nowMs()) };
      const value = await signOwner(owner, this.#options.peers);
      await producer.commit([{ topic: CONTROL_PLANE_TOPIC, key: OWNER_KEY, value }]);
    } catch (error) {
      await producer.close();
      throw error;
    }
    kafka.log.info('control plane became the writer');
    // Not before others can see this term.
    setImmediate(() => this.#options.onTerm?.());
    return producer;
  }

  /** This is done at once, not with the first change: an open transaction of the previous owner blocks every reader. */
  async #takeOver(membership: Membership): Promise<void> {
    const backoff = new Backoff(KAFKA_BACKOFF);
    while (membership.isCurrent && !this.#isStopped) {
      try {
        await this.#currentTerm();
        return;
      } catch (error) {
        this.#options.kafka.log.warn(
          { event: 'writer_term_failed', err: error },
          `writer term not begun, trying again: ${messageOf(error)}`,
        );
        await pause(backoff.next(), { isBackground: true });
      }
    }
  }

  #endTerm(): void {
    const term = this.#term;
    this.#term = undefined;
    void term?.then((producer) => producer.close()).catch(() => undefined);
  }
}
