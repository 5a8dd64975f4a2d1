import { KafkaPortError } from './errors.ts';
import { batchBytes, type Pending, SendCall, takeRequest, toMessage } from './produce-queue.ts';

const LIMITS = { maxBatchBytes: 1_000, maxRequestBytes: 10_000 };
const call = new SendCall(1, Number.POSITIVE_INFINITY);

function pending(partition: number, bytes: number, index = 0): Pending {
  return { call, index, topic: 't', partition, bytes, message: { value: null } };
}

const indexes = (queue: readonly Pending[]) => queue.map(({ index }) => index);

test('what exceeds the batch of its partition waits, and the other partitions do not wait with it', () => {
  const queue = [pending(0, 600, 0), pending(0, 600, 1), pending(1, 600, 2), pending(0, 10, 3)];
  const { request, rest } = takeRequest(queue, LIMITS);
  expect(indexes(request)).toEqual([0, 2]);
  // The small one would still fit, but must not overtake.
  expect(indexes(rest)).toEqual([1, 3]);
});

test('a request takes at least one record, and no more than fits', () => {
  expect(takeRequest([pending(0, 20_000)], LIMITS).request).toHaveLength(1);
  const queue = Array.from({ length: 30 }, (_, partition) => pending(partition, 800, partition));
  const { request, rest } = takeRequest(queue, LIMITS);
  expect(indexes(request)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect(indexes([...request, ...rest])).toEqual(indexes(queue));
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
  expect(batchBytes(record)).toBeGreaterThanOrEqual(61 + content);
  expect(batchBytes(record)).toBeLessThan(61 + content + 120);
});

test('headers that hold nothing are left out', () => {
  const headers = { a: 'x', b: undefined, c: null as unknown as string };
  expect(toMessage({ topic: 't', key: null, value: 'v', headers }, 0).headers).toEqual({ a: 'x' });
});
