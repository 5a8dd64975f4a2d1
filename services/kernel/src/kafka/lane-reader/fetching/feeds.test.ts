/** Lanes that are behind are read apart from the others. */
import { createLogger } from '../../../log.ts';
import { ManualClock } from '../../../time/manual-clock.ts';
import type { BrokerConnection } from '../../kafkajs/broker-connection.ts';
import type { FetchAnswer } from '../../kafkajs/fetch-answer.ts';
import { CODE } from '../../protocol-codes.ts';
import type { Cluster } from '../brokers/cluster.ts';
import { Feed } from './feed.ts';
import { Feeds } from './feeds.ts';

const BROKER = 1;

/** A fetch connection on which each request waits for the test to answer it. */
class Connection {
  readonly isUsable = true;
  readonly throttledForMs = 0;
  #asked = Promise.withResolvers<void>();
  #answer = Promise.withResolvers<FetchAnswer>();

  /** Resolves when a request waits for its answer. */
  get asked(): Promise<void> {
    return this.#asked.promise;
  }

  send(): Promise<FetchAnswer> {
    this.#answer = Promise.withResolvers();
    this.#asked.resolve();
    return this.#answer.promise;
  }

  /** Answers with records of the topic up to an offset, of as many as are in its log, and waits for the next request. */
  async answer(topic: string, nextOffset: number, highWatermark: number): Promise<void> {
    await this.#asked.promise;
    this.#asked = Promise.withResolvers();
    const record = { offset: nextOffset - 1, timestampMs: 0, key: null, value: Buffer.from('x'), headers: {} };
    const content = { kind: 'records', records: [record], nextOffset } as const;
    const partition = { topic, partition: 0, errorCode: CODE.NONE, highWatermark, content };
    this.#answer.resolve({ throttleTime: 0, errorCode: CODE.NONE, sessionId: 7, partitions: [partition] });
    await new Promise((resolve) => setImmediate(resolve));
  }

  close(): void {}
}

function open(topics: readonly string[]) {
  const clock = new ManualClock();
  const connections: Connection[] = [];
  const cluster = {
    knows: () => true,
    connect: () => {
      const connection = new Connection();
      connections.push(connection);
      return connection as unknown as BrokerConnection;
    },
    leaders: async (asked: readonly string[]) =>
      new Map(
        asked.map((topic) => [topic, { errorCode: CODE.NONE, partitions: [0], leaders: new Map([[0, BROKER]]) }]),
      ),
  };
  const feeds = new Feeds(cluster as unknown as Cluster, createLogger('test', 'silent'), clock);
  const read: string[] = [];
  for (const topic of topics) {
    const owner = {
      onBatch: ({ nextOffset }: { nextOffset: number }) => read.push(`${topic} to ${nextOffset}`),
      onJump: () => undefined,
      onReturned: async (_at: unknown, position: number) => position,
    };
    feeds.open(new Feed({ topic, partition: 0 }, 0, owner));
  }
  clock.advance(0);
  return { feeds, connections, read };
}

test('while an answer for a lane that is behind is on its way, the other lanes are read', async () => {
  const { feeds, connections, read } = open(['backlog', 'well']);
  await new Promise((resolve) => setImmediate(resolve));
  const [current] = connections as [Connection];
  await current.answer('backlog', 400, 1_000_000);
  const behind = connections[1] as Connection;
  await behind.asked;
  // The broker's answer about the backlog has not arrived.
  await current.answer('well', 1, 1);
  await current.answer('well', 2, 2);
  expect(read).toEqual(['backlog to 400', 'well to 1', 'well to 2']);

  // Once it has caught up, it is read with the others again.
  await behind.answer('backlog', 401, 401);
  await current.answer('well', 3, 3);
  await current.answer('backlog', 402, 402);
  expect(read.slice(3)).toEqual(['backlog to 401', 'well to 3', 'backlog to 402']);
  expect(connections.length).toBe(2);
  feeds.closeAll();
});
