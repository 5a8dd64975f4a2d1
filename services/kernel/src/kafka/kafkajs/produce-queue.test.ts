import { KafkaPortError } from '../errors.ts';
import { BATCH_OVERHEAD_BYTES, type Pending, ProduceQueue, recordBytes, SendCall, toMessage } from './produce-queue.ts';

const LIMITS = { maxBatchBytes: 1_000, maxRequestBytes: 10_000 };
const call = new SendCall(1, Number.POSITIVE_INFINITY);

function pending(partition: number, bytes: number, index = 0): Pending {
  return { call, index, topic: 't', partition, bytes, message: { value: null } };
}

function queueOf(records: readonly Pending[]): ProduceQueue {
  const queue = new ProduceQueue(LIMITS);
  for (const record of records) queue.push(record);
  return queue;
}

const indexes = (records: readonly Pending[]) => records.map(({ index }) => index);

/** The records of each request until none is left. */
function drain(queue: ProduceQueue): number[][] {
  const requests: number[][] = [];
  while (!queue.isEmpty) requests.push(indexes(queue.take()));
  return requests;
}

test('what exceeds the batch of its partition waits, and the other partitions do not wait with it', () => {
  const queue = queueOf([pending(0, 600, 0), pending(0, 600, 1), pending(1, 600, 2), pending(0, 10, 3)]);
  // The small one, 3, would still fit the first request, but must not overtake.
  expect(drain(queue)).toEqual([
    [0, 2],
    [1, 3],
  ]);
});

test('a batch contains no more records than kafkajs groups quickly', () => {
  const queue = queueOf(Array.from({ length: 1_500 }, () => pending(0, 0)));
  expect(drain(queue).map(({ length }) => length)).toEqual([1_000, 500]);
});

test('a request takes at least one record, and no more than fits', () => {
  expect(drain(queueOf([pending(0, 20_000)]))).toEqual([[0]]);
  const queue = queueOf(Array.from({ length: 30 }, (_, partition) => pending(partition, 800, partition)));
  const requests = drain(queue);
  expect(requests.map(({ length }) => length)).toEqual([11, 11, 8]);
  expect(requests.flat()).toEqual(Array.from({ length: 30 }, (_, index) => index));
});

test('partitions with a backlog take turns', () => {
  // Three batches for each of 20 partitions; a request has room for eleven.
  const records = Array.from({ length: 60 }, (_, index) => pending(index % 20, 800, index));
  const queue = queueOf(records);
  const served = Array.from({ length: 20 }, () => 0);
  while (!queue.isEmpty) {
    for (const { partition } of queue.take()) served[partition] = (served[partition] ?? 0) + 1;
    expect(Math.max(...served) - Math.min(...served)).toBeLessThanOrEqual(1);
  }
  expect(served).toEqual(served.map(() => 3));
});

test('a request looks at nothing that it leaves', () => {
  let looks = 0;
  const queue = new ProduceQueue(LIMITS);
  for (let index = 0; index < 1_000; index++) {
    const record = pending(index % 2, 300, index);
    const counted = new Proxy(record, {
      get: (target, name) => {
        looks++;
        return Reflect.get(target, name);
      },
    });
    queue.push(counted);
  }
  looks = 0;
  expect(queue.take()).toHaveLength(6);
  expect(looks).toBe(0);
});

test('what is put back goes first, in order', () => {
  const queue = queueOf([pending(0, 400, 0), pending(0, 400, 1), pending(0, 400, 2), pending(1, 400, 3)]);
  const request = queue.take();
  queue.push(pending(1, 400, 4));
  queue.push(pending(2, 400, 5));
  queue.putBack(request);
  expect(drain(queue)).toEqual([
    [0, 1, 3, 5],
    [2, 4],
  ]);
});

test('a send is settled with its last record, and says which failed', async () => {
  const send = new SendCall(3, 0);
  const failure = new KafkaPortError('DB_KAFKA_RECORD_TOO_LARGE', 'too large');
  send.settle(2, failure);
  send.settle(0, failure);
  send.settle(1);
  await expect(send.done).rejects.toMatchObject({
    code: 'DB_KAFKA_RECORD_TOO_LARGE',
    retryable: false,
    failedIndexes: [0, 2],
  });
});

test('the size counts keys, values and headers as bytes', () => {
  const record = { topic: 't', key: 'ä'.repeat(50), value: Buffer.alloc(100), headers: { ab: ['x'.repeat(10), 'y'] } };
  const content = 100 + 100 + (2 + 10) + (2 + 1);
  expect(BATCH_OVERHEAD_BYTES + recordBytes(record)).toBeGreaterThanOrEqual(61 + content);
  expect(BATCH_OVERHEAD_BYTES + recordBytes(record)).toBeLessThan(61 + content + 120);
});

test('headers that contain nothing are left out', () => {
  const headers = { a: 'x', b: undefined, c: null as unknown as string };
  expect(toMessage({ topic: 't', key: null, value: 'v', headers }, 0).headers).toEqual({ a: 'x' });
});
