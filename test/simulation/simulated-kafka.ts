import type { Membership } from '@databridge/kernel/kafka/groups/membership';
import type { LaneGroupOptions } from '@databridge/kernel/kafka/lane-reader/group-options';
import type { CommittedOffset, ConsumedRecord, ProducedRecord, RecordHeaders } from '@databridge/kernel/kafka/records';
import { decodeOffsetSet, type OffsetRange } from '@databridge/kernel/offsets/offset-set';
import { headerText } from '@databridge/schemas/records/headers';
import type { Random } from './random.ts';
import { turn } from './surroundings.ts';

/** A record in a simulated log, and what is known of it that no worker knows. */
export interface LoggedRecord extends ConsumedRecord {
  /** Its append, by the clock that nobody can set. */
  readonly appendedAtMs: number;
  readonly eventId: string;
}

/** The broker's side: logs, and one group's offsets. Its clock is its own, and runs evenly. */
export class SimulatedKafka {
  readonly logs = new Map<string, LoggedRecord[]>();
  readonly #committed = new Map<string, CommittedOffset & { readonly doneAhead: readonly OffsetRange[] }>();
  readonly #nowMs: () => number;
  #commitCount = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  log(topic: string): LoggedRecord[] {
    const known = this.logs.get(topic);
    if (known) return known;
    const log: LoggedRecord[] = [];
    this.logs.set(topic, log);
    return log;
  }

  append({ topic, key, value, headers = {} }: ProducedRecord, epochMs: number): void {
    const log = this.log(topic);
    const bytes = (part: Buffer | string | null) => (typeof part === 'string' ? Buffer.from(part) : part);
    log.push({
      offset: log.length,
      timestampMs: epochMs + this.#nowMs(),
      appendedAtMs: this.#nowMs(),
      key: bytes(key),
      value: bytes(value),
      headers: headers as RecordHeaders,
      eventId: headerText(headers as RecordHeaders, 'event-id') ?? '',
    });
  }

  /** Commits so far: only a commit can lose a record, since logs only grow. */
  get commitCount(): number {
    return this.#commitCount;
  }

  commit(offset: CommittedOffset): void {
    this.#commitCount++;
    this.#committed.set(offset.topic, { ...offset, doneAhead: decodeOffsetSet(offset.offset, offset.metadata) });
  }

  committed(): CommittedOffset[] {
    return [...this.#committed.values()].map(({ doneAhead: _, ...offset }) => offset);
  }

  /** Whether a restart would pass over the record. */
  isCommitted(topic: string, offset: number): boolean {
    const commit = this.#committed.get(topic);
    if (commit === undefined) return false;
    return offset < commit.offset || commit.doneAhead.some(({ from, to }) => offset >= from && offset < to);
  }

  /** Whether nothing in the log is left for a restart: the lowest offset that is not done is its end. */
  isAllCommitted(topic: string): boolean {
    return this.log(topic).length <= (this.#committed.get(topic)?.offset ?? 0);
  }
}

/** One process's place in the customer's group. It fetches when it is told to. */
export class SimulatedGroup {
  readonly #kafka: SimulatedKafka;
  readonly #options: LaneGroupOptions;
  readonly #topics: string[];
  readonly #random: Random;
  readonly #positions = new Map<string, number>();
  readonly #paused = new Set<string>();
  #membership: (Membership & { isCurrent: boolean }) | undefined;
  /** SIGKILL: nothing it does reaches anybody. */
  isDead = false;

  constructor(kafka: SimulatedKafka, options: LaneGroupOptions, random: Random) {
    this.#kafka = kafka;
    this.#options = options;
    this.#topics = [...options.topics];
    this.#random = random;
  }

  async start(): Promise<void> {
    this.#join(undefined);
  }

  /** The group rebalances: the same member with the same assignment, or as another one. */
  rejoin(continues: boolean): void {
    const before = this.#membership;
    if (!before?.isCurrent) return;
    before.isCurrent = false;
    this.#options.onLost(before);
    this.#join(continues ? before : undefined);
  }

  /** Frozen past its session, or killed: others own its partitions, and it has not noticed. */
  cutOff(): void {
    if (this.#membership) this.#membership.isCurrent = false;
  }

  async stop(): Promise<void> {
    const membership = this.#membership;
    if (!membership?.isCurrent) return;
    membership.isCurrent = false;
    this.#options.onLost(membership);
  }

  pause(partitions: readonly { topic: string }[]): void {
    for (const { topic } of partitions) this.#paused.add(topic);
  }

  resume(partitions: readonly { topic: string }[]): void {
    for (const { topic } of partitions) this.#paused.delete(topic);
  }

  seek({ topic }: { topic: string }, offset: number): void {
    this.#positions.set(topic, offset);
  }

  async commit(membership: Membership, offsets: readonly CommittedOffset[]): Promise<void> {
    if (this.isDead) return await new Promise(() => undefined);
    if (!membership.isCurrent) throw new Error('the membership has ended');
    for (const offset of offsets) this.#kafka.commit(offset);
  }

  /** Topics that there are now: the group hears of them, and the same member goes on. */
  addTopics(topics: readonly string[]): void {
    for (const topic of topics) if (!this.#topics.includes(topic)) this.#topics.push(topic);
    this.rejoin(true);
  }

  /** @returns whether there was anything to read */
  async fetch(topic: string, most: number): Promise<boolean> {
    const membership = this.#membership;
    const isLane = membership?.assignment.some((lane) => lane.topic === topic) === true;
    if (!isLane || !membership.isCurrent || this.#paused.has(topic)) return false;
    const from = this.#positions.get(topic) ?? 0;
    const log = this.#kafka.log(topic);
    const records = log.slice(from, from + most);
    if (records.length === 0) return false;
    const nextOffset = from + records.length;
    // Whoever takes the records may seek.
    this.#positions.set(topic, nextOffset);
    this.#options.onBatch({ topic, partition: 0, from, records, nextOffset, highWatermark: log.length });
    await turn();
    return true;
  }

  /** As the group sees it. */
  get isMember(): boolean {
    return this.#membership?.isCurrent === true;
  }

  #join(continues: Membership | undefined): void {
    const assignment = this.#topics.map((topic) => ({ topic, partition: 0 }));
    const membership = {
      memberId: String(this.#random.next()),
      assignment,
      isCurrent: true,
      continues,
      hasLease: () => membership.isCurrent,
    };
    this.#membership = membership;
    if (continues === undefined) {
      this.#paused.clear();
      this.#positions.clear();
    }
    const starts = this.#options.onJoined(membership, this.#kafka.committed());
    // Lanes that are being read go on where they are.
    for (const { topic, offset } of starts) if (!this.#positions.has(topic)) this.#positions.set(topic, offset);
  }
}
