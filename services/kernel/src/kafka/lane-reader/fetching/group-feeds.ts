import { keyOf, type TopicPartition } from '../../records.ts';
import type { LedPartition } from '../brokers/cluster.ts';
import { Feed, type FeedOwner } from './feed.ts';
import type { Feeds } from './feeds.ts';

/** The lanes of one group that are being read. */
export class GroupFeeds {
  readonly #feeds: Feeds;
  readonly #owner: FeedOwner;
  readonly #open = new Map<string, Feed>();

  constructor(feeds: Feeds, owner: FeedOwner) {
    this.#feeds = feeds;
    this.#owner = owner;
  }

  get topics(): ReadonlySet<string> {
    return new Set([...this.#open.values()].map(({ topic }) => topic));
  }

  has(at: TopicPartition): boolean {
    return this.#open.has(keyOf(at));
  }

  /**
   * Lanes that are read already continue where they are.
   * @param starts the offsets of the others; one that is omitted starts at 0
   */
  openAll(lanes: readonly LedPartition[], starts: readonly (TopicPartition & { readonly offset: number })[]): void {
    const offsets = new Map(starts.map((start) => [keyOf(start), start.offset]));
    for (const lane of lanes) {
      const key = keyOf(lane);
      if (this.#open.has(key)) continue;
      const feed = new Feed(lane, offsets.get(key) ?? 0, this.#owner);
      this.#open.set(key, feed);
      this.#feeds.open(feed, lane.leader);
    }
  }

  closeAll(): void {
    for (const feed of this.#open.values()) this.#feeds.close(feed);
    this.#open.clear();
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const feed of this.#of(partitions)) this.#feeds.pause(feed);
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const feed of this.#of(partitions)) this.#feeds.resume(feed);
  }

  seek(at: TopicPartition, offset: number): void {
    for (const feed of this.#of([at])) this.#feeds.moveTo(feed, offset);
  }

  /** Partitions that are not read are skipped. */
  #of(partitions: readonly TopicPartition[]): Feed[] {
    return partitions.flatMap((at) => this.#open.get(keyOf(at)) ?? []);
  }
}
