import { messageOf } from '../../../errors.ts';
import type { Logger } from '../../../log.ts';
import { Backoff, KAFKA_BACKOFF } from '../../../time/backoff.ts';
import type { Clock } from '../../../time/clock.ts';
import { wireRequest } from '../../kafkajs/wire-requests.ts';
import { CODE, codeName } from '../../protocol-codes.ts';
import type { Cluster, TopicLeaders } from '../brokers/cluster.ts';
import type { Feed } from './feed.ts';
import { FetchSession } from './fetch-session.ts';

/** The number of topics in one request. */
const MAX_TOPICS = 1_000;
const EARLIEST = -2;
const READ_COMMITTED = 1;

/** A lane that was paused or moved a moment ago is still being drained, although it may have been read to its end. */
const DRAINED_FOR_MS = 1_000;

/**
 * All lanes that are read: it finds the broker that leads each, and passes it to a fetch session of that broker.
 *
 * Lanes that are behind have a session of their own. Their answers are large: a record batch may have 1 MiB, and is not
 * divided. Such an answer takes several turns of the event loop to receive, and new records of other lanes would wait
 * for it.
 */
export class Feeds {
  readonly #cluster: Cluster;
  readonly #log: Logger;
  readonly #clock: Pick<Clock, 'monotonicMs' | 'after'>;
  readonly #feeds = new Set<Feed>();
  readonly #seeking = new Set<Feed>();
  readonly #sessions = { current: new Map<number, FetchSession>(), behind: new Map<number, FetchSession>() };
  readonly #sessionOf = new Map<Feed, FetchSession>();
  #isSeeking = false;
  #timer: { readonly atMs: number; cancel(): void } | undefined;
  readonly #backoff = new Backoff(KAFKA_BACKOFF);
  /** Leaders are not looked up before then (monotonic ms), because the last look-up failed. */
  #askAgainAtMs = 0;
  #isClosed = false;

  constructor(cluster: Cluster, log: Logger, clock: Pick<Clock, 'monotonicMs' | 'after'>) {
    this.#cluster = cluster;
    this.#log = log;
    this.#clock = clock;
  }

  get size(): number {
    return this.#feeds.size;
  }

  /** @param leader the broker that led the partition a moment ago; if omitted, it is looked up */
  open(feed: Feed, leader?: number): void {
    this.#feeds.add(feed);
    if (leader !== undefined && this.#cluster.knows(leader)) this.#read(feed, leader);
    else this.#seek(feed);
  }

  close(feed: Feed): void {
    feed.close();
    this.#feeds.delete(feed);
    this.#seeking.delete(feed);
    this.#sessionOf.get(feed)?.remove(feed);
    this.#sessionOf.delete(feed);
  }

  pause(feed: Feed): void {
    feed.pause(this.#clock.monotonicMs());
    this.#sessionOf.get(feed)?.touch(feed);
  }

  resume(feed: Feed): void {
    feed.resume();
    this.#sessionOf.get(feed)?.touch(feed);
  }

  moveTo(feed: Feed, offset: number): void {
    if (feed.position === offset) return;
    feed.moveTo(offset, this.#clock.monotonicMs());
    this.#sessionOf.get(feed)?.touch(feed);
  }

  closeAll(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const feed of [...this.#feeds]) this.close(feed);
    for (const sessions of Object.values(this.#sessions)) for (const session of sessions.values()) session.close();
  }

  #seek(feed: Feed): void {
    this.#seeking.add(feed);
    this.#seekAt(feed.seekAtMs);
  }

  /** Keeps one timer, for the earliest. Feeds that come due in the same turn are looked up together. */
  #seekAt(atMs: number): void {
    if (this.#isSeeking || this.#isClosed || (this.#timer && this.#timer.atMs <= atMs)) return;
    this.#timer?.cancel();
    const timer = this.#clock.after(Math.max(0, atMs - this.#clock.monotonicMs()), () => {
      this.#timer = undefined;
      void this.#seekDue();
    });
    this.#timer = { atMs, cancel: () => timer.cancel() };
  }

  async #seekDue(): Promise<void> {
    this.#isSeeking = true;
    try {
      const nowMs = this.#clock.monotonicMs();
      const due = [...this.#seeking].filter(({ seekAtMs }) => seekAtMs <= nowMs);
      const topics = [...new Set(due.map(({ topic }) => topic))];
      for (let from = 0; from < topics.length; from += MAX_TOPICS) {
        const asked = topics.slice(from, from + MAX_TOPICS);
        const found = await this.#cluster.leaders(asked);
        const of = new Set(asked);
        for (const feed of due) if (of.has(feed.topic)) this.#onLeader(feed, found.get(feed.topic));
      }
      this.#backoff.reset();
      this.#askAgainAtMs = 0;
    } catch (error) {
      if (this.#isClosed) return;
      if (this.#backoff.failures === 0)
        this.#log.warn({ event: 'lane_unreadable', err: error }, `leaders unknown; trying again: ${messageOf(error)}`);
      this.#askAgainAtMs = this.#clock.monotonicMs() + this.#backoff.next();
    } finally {
      this.#isSeeking = false;
      this.#seekLater();
    }
  }

  #seekLater(): void {
    if (this.#seeking.size === 0) return;
    let atMs = Number.POSITIVE_INFINITY;
    for (const feed of this.#seeking) atMs = Math.min(atMs, feed.seekAtMs);
    this.#seekAt(Math.max(atMs, this.#askAgainAtMs));
  }

  #onLeader(feed: Feed, topic: TopicLeaders | undefined): void {
    // The feed was closed in the meantime.
    if (!this.#seeking.has(feed)) return;
    const leader = topic?.leaders.get(feed.partition);
    const code = topic?.errorCode ?? CODE.UNKNOWN_TOPIC_OR_PARTITION;
    if (leader !== undefined && this.#cluster.knows(leader)) {
      this.#seeking.delete(feed);
      if (feed.isGone) void this.#onReturned(feed, leader);
      else this.#read(feed, leader);
      return;
    }
    if (code === CODE.UNKNOWN_TOPIC_OR_PARTITION) feed.isGone = true;
    const trouble = code === CODE.NONE ? codeName(CODE.LEADER_NOT_AVAILABLE) : codeName(code);
    if (feed.noteTrouble(trouble)) {
      this.#log.warn(
        { event: 'lane_unreadable', topic: feed.topic, partition: feed.partition, code: trouble },
        'lane not readable; trying again',
      );
    }
    feed.seek(this.#clock.monotonicMs());
  }

  async #onReturned(feed: Feed, leader: number): Promise<void> {
    try {
      const position = await feed.owner.onReturned(feed, feed.position);
      if (feed.state !== 'seeking') return;
      feed.isGone = false;
      if (position !== feed.position) {
        const before = feed.position;
        feed.jump(position);
        feed.owner.onJump(feed, before, position);
      }
      this.#read(feed, leader);
    } catch (error) {
      this.#log.warn(
        { event: 'lane_unreadable', err: error, topic: feed.topic },
        `offset of a recreated topic unknown; trying again: ${messageOf(error)}`,
      );
      this.#onLost(feed);
    }
  }

  #read(feed: Feed, leader: number): void {
    feed.read();
    this.#give(feed, this.#sessionFor(feed, leader));
  }

  #give(feed: Feed, session: FetchSession): void {
    this.#sessionOf.set(feed, session);
    session.add(feed);
  }

  /** Moves the feed to the other session of its broker if it fell behind, or caught up. */
  #onRead(feed: Feed): void {
    const session = this.#sessionOf.get(feed);
    if (session === undefined) return;
    const { drainedAtMs = Number.NEGATIVE_INFINITY } = feed;
    if (!feed.isBehind && drainedAtMs > this.#clock.monotonicMs() - DRAINED_FOR_MS) return;
    const next = this.#sessionFor(feed, session.nodeId);
    if (next === session) return;
    session.remove(feed);
    this.#give(feed, next);
  }

  #sessionFor({ isBehind }: Feed, nodeId: number): FetchSession {
    const sessions = isBehind ? this.#sessions.behind : this.#sessions.current;
    const known = sessions.get(nodeId);
    if (known) return known;
    const session = new FetchSession({
      nodeId,
      log: this.#log,
      connect: () => this.#cluster.connect(nodeId),
      onLost: (feed) => this.#onLost(feed),
      onOutOfRange: (feed) => void this.#reset(feed, nodeId),
      onRead: (feed) => this.#onRead(feed),
    });
    sessions.set(nodeId, session);
    return session;
  }

  #onLost(feed: Feed): void {
    this.#sessionOf.delete(feed);
    if (feed.state === 'closed') return;
    feed.seek(this.#clock.monotonicMs());
    this.#seek(feed);
  }

  /** Continues at the log's beginning, because the offset is not in the log. */
  async #reset(feed: Feed, nodeId: number): Promise<void> {
    this.#sessionOf.delete(feed);
    feed.reset();
    try {
      const start = await this.#startOf(feed, nodeId);
      if (feed.state !== 'resetting') return;
      const before = feed.position;
      feed.jump(start);
      feed.owner.onJump(feed, before, start);
      feed.seekNow();
      this.#seek(feed);
    } catch (error) {
      this.#log.warn(
        { event: 'lane_unreadable', err: error, topic: feed.topic },
        `start of the log unknown; trying again: ${messageOf(error)}`,
      );
      this.#onLost(feed);
    }
  }

  async #startOf({ topic, partition }: Feed, nodeId: number): Promise<number> {
    const wire = wireRequest<{ responses: { partitions: { errorCode: number; offset: string }[] }[] }>('ListOffsets', {
      replicaId: -1,
      isolationLevel: READ_COMMITTED,
      topics: [{ topic, partitions: [{ partition, timestamp: EARLIEST }] }],
    });
    const { responses } = await this.#cluster.link(nodeId).shared().send(wire);
    const found = responses[0]?.partitions[0];
    if (!found || found.errorCode !== CODE.NONE) throw new Error(codeName(found?.errorCode ?? -1));
    return Number(found.offset);
  }
}
