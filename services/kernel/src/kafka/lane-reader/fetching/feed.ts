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

/** What a feed tells its group. */
export interface FeedOwner {
  /** Synchronous. */
  onBatch(batch: ConsumedBatch): void;
  /** The offset was out of range: reading goes on at the log's beginning. Synchronous. */
  onJump(at: TopicPartition, from: number, to: number): void;
  /** The topic was gone and is there again. @returns where to read on: the same offset, or the beginning of a new log */
  onReturned(at: TopicPartition, position: number): Promise<number>;
}

/** Of one partition in one answer: what overshoots a full lane. */
const MAX_BYTES = 512 * 1024;

/** One partition that is read: where it stands, and from whom. */
export class Feed implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly owner: FeedOwner;
  readonly #states: StateMachine<FeedState>;
  #position: number;
  #maxBytes = MAX_BYTES;
  #pausedAtMs: number | undefined;
  #movedAtMs: number | undefined;
  readonly #backoff = new Backoff(KAFKA_BACKOFF);
  #seekAtMs = 0;
  /** Why the partition cannot be read at the moment; logged once per cause. */
  #trouble: string | undefined;
  /** A broker said that the topic does not exist: whether it is still the same log is to be checked. */
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

  /** When it was paused (monotonic ms); undefined: it is not. */
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

  /** Its leader is to be looked for, after a while that grows with each failure in a row. */
  seek(nowMs: number): void {
    if (this.#states.state !== 'seeking') this.#states.to('seeking');
    this.#seekAtMs = nowMs + this.#backoff.next();
  }

  /** At once: nothing is wrong with it. */
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

  /** It was read without trouble. */
  readFrom(asked: number, nextOffset: number): void {
    // Whoever took the records may have moved it meanwhile.
    if (this.#position === asked) this.#position = nextOffset;
    this.#backoff.reset();
    this.#trouble = undefined;
    this.#maxBytes = MAX_BYTES;
  }

  jump(to: number): void {
    this.#position = to;
  }

  /** Its owner wants to read elsewhere: what is being fetched is dropped, since it is another place. */
  moveTo(offset: number, nowMs: number): void {
    this.#position = offset;
    this.#movedAtMs = nowMs;
  }

  /** When it was last paused or moved (monotonic ms), by an owner that drains it. */
  get drainedAtMs(): number | undefined {
    return this.#pausedAtMs ?? this.#movedAtMs;
  }

  /** The size of the next record batch, in bytes. */
  growTo(bytes: number): void {
    this.#maxBytes = Math.max(bytes, 2 * this.#maxBytes);
  }

  /** @returns whether it is news, worth a line in the log */
  noteTrouble(trouble: string): boolean {
    const isNew = this.#trouble !== trouble;
    this.#trouble = trouble;
    return isNew;
  }
}
