import { StateMachine, type Transitions } from '../../../state-machine.ts';
import { Backoff, KAFKA_BACKOFF } from '../../../time/backoff.ts';
import type { ConsumedBatch, TopicPartition } from '../../records.ts';

export type FeedState = 'seeking' | 'reading' | 'resetting' | 'closed';

/**
 *     seeking ──leader found──▶ reading ──offset out of range──▶ resetting ──start of the log known──▶ seeking
 *        ▲ ◀──leader moved, topic gone, broker away──┘ ◀────────────────────no answer──┘
 *     closed ◀── any of them
 */
const TRANSITIONS: Transitions<FeedState> = {
  seeking: ['reading', 'closed'],
  reading: ['seeking', 'resetting', 'closed'],
  resetting: ['seeking', 'closed'],
  closed: [],
};

/** The events that a feed reports to its group. */
export interface FeedOwner {
  /** Synchronous. */
  onBatch(batch: ConsumedBatch): void;
  /** The offset was out of range: reading continues at the log's beginning. Synchronous. */
  onJump(at: TopicPartition, from: number, to: number): void;
  /**
   * The topic was deleted or unavailable and exists again.
   * @returns where to continue reading: at the same offset, or at the beginning of a new log
   */
  onReturned(at: TopicPartition, position: number): Promise<number>;
}

/** The limit of one partition in one answer: a full lane exceeds its limit by at most this. */
const MAX_BYTES = 512 * 1024;

/** One partition that is read: its position, and the broker that leads it. */
export class Feed implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly owner: FeedOwner;
  readonly #states: StateMachine<FeedState>;
  #position: number;
  #maxBytes = MAX_BYTES;
  #pausedAtMs: number | undefined;
  #movedAtMs: number | undefined;
  #isBehind = false;
  readonly #backoff = new Backoff(KAFKA_BACKOFF);
  #seekAtMs = 0;
  /** Why the partition cannot be read at present; logged once per cause. */
  #trouble: string | undefined;
  /** A broker reported that the topic does not exist: whether it is still the same log must be checked. */
  isGone = false;

  constructor({ topic, partition }: TopicPartition, position: number, owner: FeedOwner) {
    this.topic = topic;
    this.partition = partition;
    this.owner = owner;
    this.#position = position;
    this.#states = new StateMachine<FeedState>(`lane ${topic}/${partition}`, TRANSITIONS, 'seeking');
  }

  get state(): FeedState {
    return this.#states.state;
  }

  /** The next offset to read. */
  get position(): number {
    return this.#position;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  get isWanted(): boolean {
    return this.#states.state === 'reading' && this.#pausedAtMs === undefined;
  }

  /** When it was paused (monotonic ms); undefined if it is not. */
  get pausedAtMs(): number | undefined {
    return this.#pausedAtMs;
  }

  /** When its leader may be looked for again (monotonic ms). */
  get seekAtMs(): number {
    return this.#seekAtMs;
  }

  pause(nowMs: number): void {
    this.#pausedAtMs ??= nowMs;
  }

  resume(): void {
    this.#pausedAtMs = undefined;
  }

  read(): void {
    this.#states.to('reading');
  }

  /** Schedules a search for its leader, after a delay that grows with each failure in a row. */
  seek(nowMs: number): void {
    if (this.#states.state !== 'seeking') this.#states.to('seeking');
    this.#seekAtMs = nowMs + this.#backoff.next();
  }

  /** Schedules a search at once: the feed itself did not fail. */
  seekNow(): void {
    if (this.#states.state !== 'seeking') this.#states.to('seeking');
    this.#seekAtMs = 0;
  }

  reset(): void {
    this.#states.to('resetting');
  }

  close(): void {
    if (this.#states.state !== 'closed') this.#states.to('closed');
  }

  /** True if its log had more records than the last answer brought. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /**
   * Called after it was read without an error.
   * @param highWatermark one past the last offset of the log
   */
  readFrom(asked: number, nextOffset: number, highWatermark: number): void {
    this.#isBehind = nextOffset < highWatermark;
    // The recipient of the records may have moved it in the meantime.
    if (this.#position === asked) this.#position = nextOffset;
    this.#backoff.reset();
    this.#trouble = undefined;
    this.#maxBytes = MAX_BYTES;
  }

  jump(to: number): void {
    this.#position = to;
  }

  /** Called when its owner wants to read at another offset: the records that are being fetched are dropped. */
  moveTo(offset: number, nowMs: number): void {
    this.#position = offset;
    this.#movedAtMs = nowMs;
  }

  /** When it was last paused or moved (monotonic ms), by an owner that drains it. */
  get drainedAtMs(): number | undefined {
    return this.#pausedAtMs ?? this.#movedAtMs;
  }

  /** Raises the size limit of a fetch. @param bytes the size of the next record batch */
  growTo(bytes: number): void {
    this.#maxBytes = Math.max(bytes, 2 * this.#maxBytes);
  }

  /** @returns whether the cause is new, and so worth a line in the log */
  noteTrouble(trouble: string): boolean {
    const isNew = this.#trouble !== trouble;
    this.#trouble = trouble;
    return isNew;
  }
}
