import { keyOf, type TopicPartition } from '../../records.ts';
import type { Feed } from './feed.ts';

interface AskedPartition {
  readonly partition: number;
  readonly fetchOffset: number;
  readonly maxBytes: number;
}

/** What a fetch request says of lanes. */
export interface SessionChange {
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly AskedPartition[] }[];
  readonly forgottenTopics: readonly { readonly topic: string; readonly partitions: readonly number[] }[];
}

/** What the broker was last asked of a lane. */
interface Asked {
  readonly feed: Feed;
  readonly position: number;
}

/** Which lanes a fetch session holds at the broker, and where each stands: the difference is what a request names. */
export class SessionContents {
  readonly #asked = new Map<string, Asked>();
  /** Lanes that may differ from what the broker knows. */
  #touched = new Set<Feed>();
  /** Those that were paused or moved a moment ago. */
  readonly #drained = new Set<Feed>();

  /** Lanes that the broker looks at. */
  get size(): number {
    return this.#asked.size;
  }

  /** Whether a fetch can bring anything, or has anything to say that brings something later. */
  get isWorthwhile(): boolean {
    if (this.#asked.size > 0 && !this.#allAskedArePaused()) return true;
    for (const feed of this.#touched) if (feed.isWanted) return true;
    return false;
  }

  /** Whether a lane was paused or moved at that time (monotonic ms) or later. */
  hasDrainedSince(sinceMs: number): boolean {
    for (const feed of this.#drained) {
      if (feed.drainedAtMs !== undefined && feed.drainedAtMs >= sinceMs) return true;
      this.#drained.delete(feed);
    }
    return false;
  }

  askedOf(at: TopicPartition): Asked | undefined {
    return this.#asked.get(keyOf(at));
  }

  /** It was added, taken out, read, paused or resumed. */
  touch(feed: Feed): void {
    this.#touched.add(feed);
    if (feed.drainedAtMs !== undefined && feed.state === 'reading') this.#drained.add(feed);
    else this.#drained.delete(feed);
  }

  /** The broker has forgotten the session: all lanes are news to it. */
  startOver(feeds: Iterable<Feed>): void {
    this.#asked.clear();
    this.#touched = new Set(feeds);
  }

  /** @param isFull a request that starts a session: it names all lanes, and can't forget any */
  next(isFull: boolean): SessionChange {
    if (isFull) for (const { feed } of this.#asked.values()) this.#touched.add(feed);
    const wanted: Feed[] = [];
    const forgotten: TopicPartition[] = [];
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
      // What one feed gave up, another may ask for in the same request.
      forgottenTopics: [
        ...Map.groupBy(
          forgotten.filter((at) => !this.#asked.has(keyOf(at))),
          ({ topic }) => topic,
        ),
      ].map(([topic, of]) => ({ topic, partitions: of.map(({ partition }) => partition) })),
    };
  }

  /** A lane that is paused is still asked for until the next request. */
  #allAskedArePaused(): boolean {
    if (this.#touched.size < this.#asked.size) return false;
    for (const { feed } of this.#asked.values()) if (feed.isWanted) return false;
    return true;
  }
}
