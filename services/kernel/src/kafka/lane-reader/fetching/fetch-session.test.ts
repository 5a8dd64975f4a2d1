/** Each answer that a broker may give to a fetch is handled, and an error of one lane does not affect others. */
import { createLogger } from '../../../log.ts';
import type { BrokerConnection } from '../../kafkajs/broker-connection.ts';
import type { FetchAnswer, FetchedPartition } from '../../kafkajs/fetch-answer.ts';
import type { WireRequest } from '../../kafkajs/wire-requests.ts';
import { CODE } from '../../protocol-codes.ts';
import { Feed, type FeedOwner } from './feed.ts';
import { FetchSession } from './fetch-session.ts';

interface Asked {
  readonly sessionId: number;
  readonly epoch: number;
  readonly topics: number;
}

/** A connection to a broker that answers by script, and then no more. */
class ScriptedBroker {
  readonly asked: Asked[] = [];
  readonly #script: (FetchAnswer | Error)[];
  readonly #done = Promise.withResolvers<void>();

  constructor(script: (FetchAnswer | Error)[]) {
    this.#script = script;
  }

  /** Resolves when all is answered and the session asks on. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  connect(): BrokerConnection {
    let isUsable = true;
    const connection = {
      get isUsable() {
        return isUsable;
      },
      throttledForMs: 0,
      close: () => {
        isUsable = false;
      },
      send: async (wire: WireRequest<FetchAnswer> & { request: { encode?(): Promise<{ buffer: Buffer }> } }) => {
        const encoded = await wire.request.encode?.();
        const bytes = encoded?.buffer ?? Buffer.alloc(0);
        // Replica, wait, least and most bytes, isolation; then session, epoch and the number of topics.
        this.asked.push({
          sessionId: bytes.readInt32BE(17),
          epoch: bytes.readInt32BE(21),
          topics: bytes.readInt32BE(25),
        });
        const answer = this.#script.shift();
        if (answer instanceof Error) throw answer;
        if (answer) return answer;
        this.#done.resolve();
        return await new Promise<FetchAnswer>(() => undefined);
      },
    };
    return connection as unknown as BrokerConnection;
  }
}

function answer(partitions: readonly Partial<FetchedPartition>[] = [], sessionId = 7, errorCode: number = CODE.NONE) {
  const full = partitions.map((one) => {
    return { topic: 'a', partition: 0, errorCode: CODE.NONE, highWatermark: 9, content: undefined, ...one };
  });
  return { throttleTime: 0, errorCode, sessionId, partitions: full };
}

const records = (from: number, nextOffset: number): FetchedPartition['content'] => ({
  kind: 'records',
  records: [{ offset: from, timestampMs: 0, key: null, value: Buffer.from('x'), headers: {} }],
  nextOffset,
});

function open(broker: ScriptedBroker, topics: readonly string[]) {
  const lost: string[] = [];
  const outOfRange: string[] = [];
  const read: string[] = [];
  const owner: FeedOwner = {
    onBatch: ({ topic, nextOffset }) => read.push(`${topic} to ${nextOffset}`),
    onJump: () => undefined,
    onReturned: async (_at, position) => position,
  };
  const session = new FetchSession({
    nodeId: 1,
    log: createLogger('test', 'silent'),
    connect: () => broker.connect(),
    onLost: (feed) => lost.push(feed.topic),
    onOutOfRange: (feed) => outOfRange.push(feed.topic),
    onRead: () => undefined,
  });
  const feeds = topics.map((topic) => {
    const feed = new Feed({ topic, partition: 0 }, 0, owner);
    feed.read();
    session.add(feed);
    return feed;
  });
  return { session, feeds, lost, outOfRange, read };
}

test('asks for all lanes once, and from then on for what changed', async () => {
  const broker = new ScriptedBroker([answer([{ content: records(0, 1) }]), answer(), answer()]);
  const { session, read } = open(broker, ['a', 'b']);
  await broker.done;
  session.close();
  expect(broker.asked).toEqual([
    { sessionId: 0, epoch: 0, topics: 2 },
    { sessionId: 7, epoch: 1, topics: 1 },
    { sessionId: 7, epoch: 2, topics: 0 },
    { sessionId: 7, epoch: 3, topics: 0 },
  ]);
  expect(read).toEqual(['a to 1']);
});

test.each([
  ['evicted', CODE.FETCH_SESSION_ID_NOT_FOUND],
  ['at another step', CODE.INVALID_FETCH_SESSION_EPOCH],
])(
  'a session that the broker has %s is followed by a new one, for all lanes from where they are',
  async (_what, code) => {
    const broker = new ScriptedBroker([
      answer([{ content: records(0, 5) }]),
      answer([], 0, code),
      answer([{ content: records(5, 6) }], 8),
    ]);
    const { session, read, lost } = open(broker, ['a', 'b']);
    await broker.done;
    session.close();
    expect(broker.asked).toEqual([
      { sessionId: 0, epoch: 0, topics: 2 },
      { sessionId: 7, epoch: 1, topics: 1 },
      { sessionId: 0, epoch: 0, topics: 2 },
      { sessionId: 8, epoch: 1, topics: 1 },
    ]);
    expect(read).toEqual(['a to 5', 'a to 6']);
    expect(lost).toEqual([]);
  },
);

test('a broker with no room for a session is asked for all lanes each time', async () => {
  const broker = new ScriptedBroker([answer([], 0), answer([], 0)]);
  const { session } = open(broker, ['a', 'b']);
  await broker.done;
  session.close();
  expect(broker.asked).toEqual(Array.from({ length: 3 }, () => ({ sessionId: 0, epoch: 0, topics: 2 })));
});

test('a lane with an error is left out until its retry, and the other lanes are read on', async () => {
  const unreadable: FetchedPartition['content'] = { kind: 'unreadable', error: new Error('unknown codec') };
  const broker = new ScriptedBroker([
    answer([
      { topic: 'moved', errorCode: CODE.NOT_LEADER_OR_FOLLOWER },
      { topic: 'deleted', errorCode: CODE.UNKNOWN_TOPIC_OR_PARTITION },
      { topic: 'forbidden', errorCode: CODE.TOPIC_AUTHORIZATION_FAILED },
      { topic: 'damaged', content: unreadable },
      { topic: 'behind', errorCode: CODE.OFFSET_OUT_OF_RANGE },
      { topic: 'well', content: records(0, 1) },
    ]),
    answer([{ topic: 'well', content: records(1, 2) }]),
  ]);
  const topics = ['moved', 'deleted', 'forbidden', 'damaged', 'behind', 'well'];
  const { session, feeds, lost, outOfRange, read } = open(broker, topics);
  await broker.done;
  session.close();
  expect(lost).toEqual(['moved', 'deleted', 'forbidden', 'damaged']);
  expect(outOfRange).toEqual(['behind']);
  expect(read).toEqual(['well to 1', 'well to 2']);
  expect(feeds.map(({ isGone }) => isGone)).toEqual([false, true, false, false, false, false]);
});

test('a connection that fails gives all lanes up, to be looked for elsewhere; none moves on unread', async () => {
  const broker = new ScriptedBroker([answer([{ content: records(0, 3) }]), new Error('reset')]);
  const { session, feeds, lost } = open(broker, ['a', 'b']);
  while (lost.length < 2) await new Promise((resolve) => setImmediate(resolve));
  session.close();
  expect(lost).toEqual(['a', 'b']);
  expect(feeds.map(({ position }) => position)).toEqual([3, 0]);
});

test('a record batch that does not fit is asked for with more room, and a batch that is not taken in is not passed over', async () => {
  const broker = new ScriptedBroker([answer([{ content: { kind: 'cut', bytes: 2_000_000 } }]), answer()]);
  const { session, feeds } = open(broker, ['a']);
  await broker.done;
  session.close();
  expect(feeds[0]?.maxBytes).toBe(2_000_000);
  expect(feeds[0]?.position).toBe(0);

  const refusing = new ScriptedBroker([answer([{ content: records(0, 1) }])]);
  const { session: second, feeds: others, lost } = open(refusing, []);
  const feed = new Feed({ topic: 'a', partition: 0 }, 0, {
    onBatch: () => {
      throw new Error('a bug');
    },
    onJump: () => undefined,
    onReturned: async () => 0,
  });
  feed.read();
  second.add(feed);
  while (lost.length === 0) await new Promise((resolve) => setImmediate(resolve));
  second.close();
  expect(others).toEqual([]);
  expect(feed.position).toBe(0);
});
