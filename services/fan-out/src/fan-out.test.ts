import { KafkaPortError, ProduceError } from '@databridge/kernel/kafka/errors';
import type { GroupConsumerOptions } from '@databridge/kernel/kafka/groups/consumer-options';
import type { GroupConsumer } from '@databridge/kernel/kafka/groups/group-consumer';
import type { Membership } from '@databridge/kernel/kafka/groups/membership';
import type { CommittedOffset, ProducedRecord } from '@databridge/kernel/kafka/records';
import { createLogger } from '@databridge/kernel/log';
import type { EventReaders, ReaderLookup } from '@databridge/kernel/registry/event-readers';
import { frame } from '@databridge/schemas/event/confluent-frame';
import { loadEventTypes } from '@databridge/schemas/event/event-types';
import { decodeIntakeTally, encodeIntakeTally } from '@databridge/schemas/records/intake-tally';
import { SubscriptionIndex } from '@databridge/schemas/subscription/match';
import { Registry } from 'prom-client';
import { FanOut } from './fan-out.ts';
import { fanOutMetrics } from './metrics.ts';

const [rootCause] = loadEventTypes('root-cause=intake');
if (!rootCause) throw new Error('no event type');
const reader: ReaderLookup = { kind: 'reader', reader: rootCause.readerFor(rootCause.schemaJson) };
const GOOD = rootCause.encode(1, { schema_version: 'v1.0', statusCode: 200 });
const LATE = frame(9, GOOD.subarray(5));

const turn = () => new Promise(setImmediate);

interface Send {
  records: readonly ProducedRecord[];
  resolve(): void;
  reject(error: Error): void;
}

function setUp(given: { committed?: CommittedOffset[]; maxTurnMs?: number } = {}) {
  const sends: Send[] = [];
  const commits: CommittedOffset[][] = [];
  const calls: string[] = [];
  const schema9 = Promise.withResolvers<ReaderLookup>();
  let isKnown9 = false;
  void schema9.promise.then(() => {
    isKnown9 = true;
  });
  let callbacks: Pick<GroupConsumerOptions, 'onJoined' | 'onLost' | 'onBatch'> | undefined;
  const consumer = {
    start: async () => undefined,
    stop: async () => void calls.push('stop'),
    pause: () => void calls.push('pause'),
    resume: () => void calls.push('resume'),
    commit: async (_membership: Membership, offsets: CommittedOffset[]) => void commits.push(offsets),
  };
  const subscriptions = new SubscriptionIndex();
  subscriptions.set('acme', { eventTypes: ['root-cause'], match: {} });
  const readers = {
    waitingForRegistry: 0,
    peek: (_type: unknown, id: number) => (id !== 9 || isKnown9 ? reader : undefined),
    load: () => schema9.promise,
  };
  const fanOut = new FanOut(
    {
      eventTypes: rootCause ? [rootCause] : [],
      subscriptions,
      readers: readers as unknown as EventReaders,
      producer: {
        connect: async () => undefined,
        disconnect: async () => undefined,
        send: (records) =>
          records.length === 0
            ? Promise.resolve()
            : new Promise((resolve, reject) => sends.push({ records, resolve, reject })),
      },
      // A batch of a test is routed at once, also on a busy machine.
      maxTurnMs: given.maxTurnMs ?? 60_000,
      committedOffsets: async () => given.committed ?? [],
      metrics: fanOutMetrics(new Registry(), ['root-cause']),
      log: createLogger('test', 'silent'),
      maxInFlightBytes: 1024 * 1024,
    },
    (given) => {
      callbacks = given;
      return consumer as unknown as GroupConsumer;
    },
  );
  const join = () => {
    const membership = { isCurrent: true, assignment: [{ topic: 'intake', partition: 0 }] };
    callbacks?.onJoined(membership as unknown as Membership);
    return membership;
  };
  let offset = 0;
  const receive = async (membership: object, values: Buffer[]) => {
    const records = values.map((value) => ({ offset: offset++, timestampMs: 0, key: null, value, headers: {} }));
    const place = { topic: 'intake', partition: 0, nextOffset: offset, highWatermark: offset };
    await callbacks?.onBatch(membership as Membership, { ...place, records });
    await turn();
  };
  const lose = (membership: { isCurrent: boolean }) => {
    membership.isCurrent = false;
    callbacks?.onLost(membership as unknown as Membership);
  };
  const committed = () => commits.flat().map((one) => one.offset);
  const tallies = () => commits.flat().map(({ metadata }) => decodeIntakeTally(metadata));
  return { fanOut, subscriptions, sends, committed, tallies, calls, schema9, join, receive, lose };
}

test('an offset is committed after all copies are acknowledged, and not before', async () => {
  const { sends, committed, join, receive } = setUp();
  await receive(join(), [GOOD, GOOD]);
  expect(sends).toHaveLength(1);
  expect(committed()).toEqual([]);
  sends[0]?.resolve();
  await turn();
  expect(committed()).toEqual([2]);
});

test('batches go side by side, and are committed in order', async () => {
  const { sends, committed, join, receive } = setUp();
  const membership = join();
  await receive(membership, [GOOD]);
  await receive(membership, [GOOD]);
  expect(sends).toHaveLength(2);
  sends[1]?.resolve();
  await turn();
  expect(committed()).toEqual([]);
  sends[0]?.resolve();
  await turn();
  expect(committed().at(-1)).toBe(2);
});

test('what a turn of the event loop is used up for goes on in the next one, whatever the batch', async () => {
  const { sends, join, receive } = setUp({ maxTurnMs: 0 });
  const membership = join();
  let afterOneTurn = 0;
  const received = [1, 2, 3].map(() => receive(membership, [GOOD]));
  setImmediate(() => {
    afterOneTurn = sends.length;
  });
  await Promise.all(received);
  while (sends.length < 3) await turn();
  expect(afterOneTurn).toBeLessThan(3);
});

test('a record that waits for its schema holds up neither its batch nor the next one, only the offset', async () => {
  const { sends, committed, schema9, join, receive } = setUp();
  const membership = join();
  await receive(membership, [LATE, GOOD]);
  await receive(membership, [GOOD]);
  for (const send of sends) send.resolve();
  await turn();
  expect(sends.map(({ records }) => records.map(({ value }) => value))).toEqual([[GOOD], [GOOD]]);
  expect(committed()).toEqual([]);

  schema9.resolve(reader);
  await turn();
  expect(sends[2]?.records.map(({ value }) => value)).toEqual([LATE]);
  sends[2]?.resolve();
  await turn();
  expect(committed().at(-1)).toBe(3);
});

test('what was not acknowledged is sent again, and only that', async () => {
  const { fanOut, sends, committed, join, receive } = setUp();
  await receive(join(), [GOOD, GOOD]);
  sends[0]?.reject(new ProduceError(new KafkaPortError('DB_KAFKA_UNKNOWN_TOPIC', 'no topic'), [1]));
  await turn();
  expect(fanOut.notReadyBecause()).toBe('Kafka refuses to write');
  while (sends.length < 2) await turn();
  expect(sends[1]?.records).toEqual([sends[0]?.records[1]]);
  expect(committed()).toEqual([]);
  sends[1]?.resolve();
  await turn();
  expect(committed()).toEqual([2]);
  expect(fanOut.notReadyBecause()).toBeUndefined();
});

test('a customer that is deleted, its topic too, holds up nobody', async () => {
  const { subscriptions, sends, committed, join, receive } = setUp();
  await receive(join(), [GOOD, GOOD]);
  subscriptions.set('acme', undefined);
  sends[0]?.reject(new ProduceError(new KafkaPortError('DB_KAFKA_UNKNOWN_TOPIC', 'no topic'), [0, 1]));
  await turn();
  expect(sends).toHaveLength(1);
  expect(committed()).toEqual([2]);
});

test('with an offset goes the count of what left no copy, on top of what an earlier membership counted', async () => {
  const metadata = encodeIntakeTally({ unmatched: 40, filtered: 7, sinceMs: 1_000 });
  const { subscriptions, sends, tallies, join, receive } = setUp({
    committed: [{ topic: 'intake', partition: 0, offset: 0, metadata }],
  });
  subscriptions.set('acme', { eventTypes: ['root-cause'], match: {}, filter: 'event.statusCode == 500' });
  const membership = join();
  await receive(membership, [GOOD]);
  await turn();
  subscriptions.set('acme', undefined);
  await receive(membership, [GOOD, GOOD]);
  await turn();
  expect(sends).toEqual([]);
  // An event that all its customers' filters exclude counts as unmatched, too.
  expect(tallies().at(-1)).toEqual({ unmatched: 43, filtered: 8, sinceMs: 1_000 });
});

test('offsets that another tool has set have no count: it restarts, and says when', async () => {
  const { subscriptions, tallies, join, receive } = setUp({
    committed: [{ topic: 'intake', partition: 0, offset: 0, metadata: '' }],
  });
  subscriptions.set('acme', undefined);
  await receive(join(), [GOOD]);
  await turn();
  expect(tallies()).toEqual([{ unmatched: 1, filtered: 0, sinceMs: expect.any(Number) }]);
  expect(tallies()[0]?.sinceMs).toBeGreaterThan(0);
});

test('what ends after its membership is not committed', async () => {
  const { sends, committed, join, receive, lose } = setUp();
  const membership = join();
  await receive(membership, [GOOD]);
  lose(membership);
  sends[0]?.resolve();
  await turn();
  await receive(membership, [GOOD]);
  expect(sends).toHaveLength(1);
  expect(committed()).toEqual([]);
});

test('more than its share of the memory pauses a partition until half of it is free', async () => {
  const { sends, calls, join, receive } = setUp();
  const large = Buffer.concat([GOOD, Buffer.alloc(700_000)]);
  const membership = join();
  await receive(membership, [large]);
  expect(calls).toEqual([]);
  await receive(membership, [large]);
  expect(calls).toEqual(['pause']);
  sends[0]?.resolve();
  await turn();
  expect(calls).toEqual(['pause']);
  sends[1]?.resolve();
  await turn();
  expect(calls).toEqual(['pause', 'resume']);
});

test('a stop ends what is being written, commits it, and leaves what waits to the next start', async () => {
  const { fanOut, sends, committed, calls, join, receive } = setUp();
  const membership = join();
  await receive(membership, [GOOD]);
  await receive(membership, [LATE]);
  const stopped = fanOut.stop();
  await turn();
  expect(calls).toEqual([]);
  sends[0]?.resolve();
  await stopped;
  expect(committed()).toEqual([1]);
  expect(calls).toEqual(['stop']);
});
