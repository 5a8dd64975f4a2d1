import { keyOf, type TopicPartition } from '../../records.ts';
import type { Feed } from './feed.ts';

interface AskedPartition {
  readonly partition: number;
  readonly fetchOffset: number;
  readonly maxBytes: number;
}

/** The part of a fetch request that concerns lanes. */
export interface SessionChange {
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly AskedPartition[] }[];
  readonly forgottenTopics: readonly { readonly topic: string; readonly partitions: readonly number[] }[];
}

/** The state of a lane as last sent to the broker. */
interface Asked {
  readonly feed: Feed;
  readonly position: number;
}

/** The lanes that a fetch session has at the broker, with the position of each: a request names the differences. */
export class SessionContents {
  readonly #asked = new Map<string, Asked>();
  /** Lanes whose state may differ from the one that the broker knows. */
  #touched = new Set<Feed>();
  /** Lanes that the session gave up, and that the broker still has in it. */
  readonly #dropped = new Set<Feed>();
  /** Lanes that were paused or moved a moment ago. */
  readonly #drained = new Set<Feed>();

  /** The number of lanes that the broker examines. */
  get size(): number {
    return this.#asked.size;
  }

  /** True if a fetch can return records, or changes the session so that a later one can. */
  get isWorthwhile(): boolean {
    if (this.#asked.size > 0 && !this.#allAskedArePaused()) return true;
    for (const feed of this.#touched) if (feed.isWanted) return true;
    return false;
  }

  /** Forgets earlier pauses and moves. @returns whether a lane was paused or moved at that time (monotonic ms) or later */
  pruneDrained(sinceMs: number): boolean {
    for (const feed of this.#drained) {
      if (feed.drainedAtMs !== undefined && feed.drainedAtMs >= sinceMs) return true;
      this.#drained.delete(feed);
    }
    return false;
  }

  askedOf(at: TopicPartition): Asked | undefined {
    return this.#asked.get(keyOf(at));
  }

  /** Notes that a lane was added, read, paused or resumed. */
  touch(feed: Feed): void {
    this.#dropped.delete(feed);
    this.#touched.add(feed);
    if (feed.drainedAtMs !== undefined && feed.state === 'reading') this.#drained.add(feed);
    else this.#drained.delete(feed);
  }

  /** Notes that the session does not read the lane any more. Another one may read it. */
  drop(feed: Feed): void {
    this.#touched.delete(feed);
    this.#drained.delete(feed);
    if (this.#asked.get(keyOf(feed))?.feed === feed) this.#dropped.add(feed);
  }

  /** Marks all lanes as changed, because the broker has forgotten the session. */
  startOver(feeds: Iterable<Feed>): void {
    this.#asked.clear();
    this.#dropped.clear();
    this.#touched = new Set(feeds);
  }

  /** @param isFull whether the request starts a session: it then names all lanes, and cannot remove any */
  takeChange(isFull: boolean): SessionChange {
    const wanted: Feed[] = [];
    const forgotten: TopicPartition[] = isFull ? [] : [...this.#dropped];
    for (const feed of this.#dropped) this.#asked.delete(keyOf(feed));
    this.#dropped.clear();
    if (isFull) for (const { feed } of this.#asked.values()) this.#touched.add(feed);
    for (const feed of this.#touched) {
      const key = keyOf(feed);
      const asked = this.#asked.get(key);
      if (feed.isWanted) {
        wanted.push(feed);
        this.#asked.set(key, { feed, position: feed.position });
      } else if (asked?.feed === feed) {
        this.#asked.delete(key);
        if (!isFull) forgotten.push(feed);
      }
    }
    this.#touched.clear();
    return {
      topics: [...Map.groupBy(wanted, ({ topic }) => topic)].map(([topic, feeds]) => ({
        topic,
        partitions: feeds.map(({ partition, position, maxBytes }) => ({ partition, fetchOffset: position, maxBytes })),
      })),
      // A partition that one feed gave up may be requested by another in the same request.
      forgottenTopics: [
        ...Map.groupBy(
          forgotten.filter((at) => !this.#asked.has(keyOf(at))),
          ({ topic }) => topic,
        ),
      ].map(([topic, of]) => ({ topic, partitions: of.map(({ partition }) => partition) })),
    };
  }

  /** A paused lane is still fetched until the next request. */
  #allAskedArePaused(): boolean {
    if (this.#touched.size + this.#dropped.size < this.#asked.size) return false;
    for (const { feed } of this.#asked.values()) if (feed.isWanted && !this.#dropped.has(feed)) return false;
    return true;
  }
}
