import { messageOf } from '../../../errors.ts';
import type { Logger } from '../../../log.ts';
import { backoffMs, KAFKA_BACKOFF } from '../../../time/backoff.ts';
import { systemClock } from '../../../time/clock.ts';
import { pause } from '../../../time/pause.ts';
import type { BrokerConnection } from '../../kafkajs/broker-connection.ts';
import { decodeFetchAnswer, type FetchAnswer, type FetchedPartition } from '../../kafkajs/fetch-answer.ts';
import { wireRequest } from '../../kafkajs/wire-requests.ts';
import { CODE, codeName, isSessionLost } from '../../protocol-codes.ts';
import { keyOf } from '../../records.ts';
import type { Feed } from './feed.ts';
import { SessionContents } from './session-contents.ts';

export interface FetchSessionOptions {
  readonly nodeId: number;
  readonly log: Logger;
  readonly connect: () => BrokerConnection;
  /** Called when the broker does not lead the partition any more, or does not know: its leader must be looked up. */
  readonly onLost: (feed: Feed) => void;
  readonly onOutOfRange: (feed: Feed) => void;
  /** Called after an answer brought records of the feed, with no request in progress: it may be given to another session. */
  readonly onRead: (feed: Feed) => void;
}

/**
 * The time for which the broker delays the answer to a fetch that finds nothing. A lane that is added meanwhile is read
 * after this time at the latest.
 */
const MAX_WAIT_MS = 250;
/**
 * The same while a lane was paused a moment ago: such a lane is drained fast, and would run empty before the end of a
 * longer poll that does not include it.
 */
const MAX_WAIT_DRAINING_MS = 20;
const DRAINING_FOR_MS = 1_000;
const MAX_BYTES = 4 * 1024 * 1024;
const MIN_BYTES = 1;
const READ_COMMITTED = 1;
/**
 * The broker examines each lane of the session in every fetch, and with many lanes there always are new records. So the
 * interval between fetches grows with the number of lanes: 10 ms for 1,000 lanes, at most 100 ms.
 */
const SPACING_MS_PER_LANE = 0.01;
const MAX_SPACING_MS = 100;
const ANSWER_WITHIN_MS = 15_000;
const LAST_EPOCH = 2 ** 31 - 1;

/** Errors of a partition that only another broker can answer for, or none at present. */
const SEEK_AFTER: ReadonlySet<number> = new Set([
  CODE.UNKNOWN_TOPIC_OR_PARTITION,
  CODE.LEADER_NOT_AVAILABLE,
  CODE.NOT_LEADER_OR_FOLLOWER,
  CODE.KAFKA_STORAGE_ERROR,
]);

/**
 * Reads lanes that one broker leads, over one connection and with an incremental fetch session (KIP-227): a request
 * names only the changes since the one before, an answer only the lanes with new records. There is one request at a
 * time, so all of its lanes wait while an answer is received.
 */
export class FetchSession {
  readonly #with: FetchSessionOptions;
  readonly #feeds = new Map<string, Feed>();
  readonly #contents = new SessionContents();
  #connection: BrokerConnection | undefined;
  #sessionId = 0;
  /** The epoch 0 requests a new session. */
  #epoch = 0;
  #lastSentAtMs = 0;
  #failures = 0;
  #isClosed = false;
  #woken = Promise.withResolvers<void>();

  constructor(options: FetchSessionOptions) {
    this.#with = options;
    void this.#run();
  }

  /** The broker that it reads from. */
  get nodeId(): number {
    return this.#with.nodeId;
  }

  add(feed: Feed): void {
    this.#feeds.set(keyOf(feed), feed);
    this.touch(feed);
  }

  remove(feed: Feed): void {
    if (this.#feeds.get(keyOf(feed)) === feed) this.#feeds.delete(keyOf(feed));
    this.#contents.drop(feed);
    this.#woken.resolve();
  }

  /** Called when the feed was paused or resumed. */
  touch(feed: Feed): void {
    this.#contents.touch(feed);
    this.#woken.resolve();
  }

  close(): void {
    this.#isClosed = true;
    this.#connection?.close();
    this.#woken.resolve();
  }

  async #run(): Promise<void> {
    for (;;) {
      await this.#untilWorthwhile();
      if (this.#isClosed) return;
      const answer = await this.#fetch();
      if (this.#isClosed) return;
      if (answer === undefined) await pause(backoffMs(this.#failures + 1, KAFKA_BACKOFF));
      else this.#take(answer);
    }
  }

  async #untilWorthwhile(): Promise<void> {
    while (!this.#isClosed && !this.#contents.isWorthwhile) {
      this.#woken = Promise.withResolvers();
      await this.#woken.promise;
    }
    const spacingMs = Math.min(this.#contents.size * SPACING_MS_PER_LANE, MAX_SPACING_MS);
    const spacedForMs = this.#lastSentAtMs + spacingMs - systemClock.monotonicMs();
    const waitMs = Math.max(spacedForMs, this.#connection?.throttledForMs ?? 0);
    if (waitMs >= 1) await pause(waitMs);
  }

  /** @returns undefined if there was no usable answer; the session starts again */
  async #fetch(): Promise<FetchAnswer | undefined> {
    const maxWaitMs = this.#maxWaitMs();
    const { topics, forgottenTopics } = this.#contents.takeChange(this.#epoch === 0);
    this.#lastSentAtMs = systemClock.monotonicMs();
    try {
      if (!this.#connection?.isUsable) this.#connection = this.#with.connect();
      const wire = wireRequest(
        'Fetch',
        {
          replicaId: -1,
          maxWaitTime: maxWaitMs,
          minBytes: MIN_BYTES,
          maxBytes: MAX_BYTES,
          isolationLevel: READ_COMMITTED,
          sessionId: this.#sessionId,
          sessionEpoch: this.#epoch,
          topics,
          forgottenTopics,
        },
        (payload) => decodeFetchAnswer(payload, (at) => this.#askedOf(at)),
      );
      const answer = await this.#connection.send(wire, ANSWER_WITHIN_MS);
      if (answer.errorCode === CODE.NONE) {
        this.#sessionId = answer.sessionId;
        // A broker with no room for another session answers with the session id 0: then each request names all lanes.
        this.#epoch = answer.sessionId === 0 ? 0 : this.#epoch === LAST_EPOCH ? 1 : this.#epoch + 1;
        this.#failures = 0;
        return answer;
      }
      this.#startOver();
      const isExpected = isSessionLost(answer.errorCode);
      const line = { broker: this.#with.nodeId, code: codeName(answer.errorCode) };
      if (isExpected) this.#with.log.info(line, 'fetch session lost; starting another');
      else this.#with.log.warn({ event: 'fetch_failed', ...line }, 'fetch request rejected; trying again');
      if (!isExpected) this.#failures++;
      return isExpected ? { ...answer, partitions: [] } : undefined;
    } catch (error) {
      if (this.#isClosed) return undefined;
      if (this.#failures++ === 0) {
        this.#with.log.warn(
          { event: 'fetch_failed', err: error, broker: this.#with.nodeId },
          `fetch failed; trying again: ${messageOf(error)}`,
        );
      }
      this.#connection?.close();
      this.#connection = undefined;
      this.#startOver();
      // Other brokers may lead these partitions by now.
      for (const feed of [...this.#feeds.values()]) this.#give(feed);
      return undefined;
    }
  }

  #take(answer: FetchAnswer): void {
    for (const fetched of answer.partitions) {
      const feed = this.#feeds.get(keyOf(fetched));
      const asked = this.#contents.askedOf(fetched);
      // The feed was closed, moved, or set to another offset while the answer was in flight.
      if (feed === undefined || asked?.feed !== feed || feed.state !== 'reading' || feed.position !== asked.position) {
        continue;
      }
      if (fetched.errorCode === CODE.NONE) this.#takeContent(feed, fetched);
      else this.#takeError(feed, fetched.errorCode);
    }
  }

  #takeContent(feed: Feed, { content, highWatermark }: FetchedPartition): void {
    switch (content?.kind) {
      case undefined:
        return;
      case 'cut':
        feed.growTo(content.bytes);
        break;
      case 'unreadable':
        if (feed.noteTrouble(messageOf(content.error))) {
          const at = { topic: feed.topic, partition: feed.partition, offset: feed.position };
          this.#with.log.error(
            { event: 'records_undecodable', ...at, err: content.error },
            'records cannot be decoded; lane stopped',
          );
        }
        this.#give(feed);
        return;
      case 'records': {
        const { records, nextOffset } = content;
        const { topic, partition, position: from } = feed;
        try {
          feed.owner.onBatch({ topic, partition, from, records, nextOffset, highWatermark });
        } catch (error) {
          // The batch is not skipped: it comes again. The trackers ignore the records that they have already.
          this.#with.log.error(
            { event: 'batch_not_taken', err: error, topic, partition },
            'batch not processed; it is fetched again',
          );
          this.#give(feed);
          return;
        }
        feed.readFrom(from, nextOffset, highWatermark);
      }
    }
    if (feed.state !== 'reading') return;
    this.#contents.touch(feed);
    this.#with.onRead(feed);
  }

  #takeError(feed: Feed, code: number): void {
    if (code === CODE.OFFSET_OUT_OF_RANGE) {
      this.remove(feed);
      this.#with.onOutOfRange(feed);
      return;
    }
    // The topic was deleted, and may be created again before its leader is found again: the offsets then belong to
    // another log.
    if (code === CODE.UNKNOWN_TOPIC_OR_PARTITION) feed.isGone = true;
    if (!SEEK_AFTER.has(code) && feed.noteTrouble(codeName(code))) {
      const at = { topic: feed.topic, partition: feed.partition, code: codeName(code) };
      this.#with.log.error({ event: 'lane_unreadable', ...at }, 'the broker refuses a lane; it is tried again');
    }
    this.#give(feed);
  }

  #give(feed: Feed): void {
    this.remove(feed);
    this.#with.onLost(feed);
  }

  #askedOf(at: { topic: string; partition: number }): number | undefined {
    return this.#contents.askedOf(at)?.position;
  }

  #startOver(): void {
    this.#sessionId = 0;
    this.#epoch = 0;
    this.#contents.startOver(this.#feeds.values());
  }

  #maxWaitMs(): number {
    return this.#contents.pruneDrained(systemClock.monotonicMs() - DRAINING_FOR_MS)
      ? MAX_WAIT_DRAINING_MS
      : MAX_WAIT_MS;
  }
}
