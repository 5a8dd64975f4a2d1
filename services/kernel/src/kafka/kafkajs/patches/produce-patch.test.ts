import { createRequire } from 'node:module';
import { anyText } from '@databridge/schemas/event/text-fixture';
import fc from 'fast-check';
import type { Message } from 'kafkajs';
import { installProducePatch, type ProduceArguments } from './produce-patch.ts';

type Protocol = (at: { version: number }) => (given: ProduceArguments) => {
  request: { apiVersion: number; encode(): Promise<{ buffer: Buffer }> };
};
const produce = createRequire(import.meta.url)('kafkajs/src/protocol/requests/produce') as { protocol: Protocol };
const original = produce.protocol;
const NOW_MS = 1_764_000_000_123;

beforeAll(() => {
  jest.useFakeTimers({ now: NOW_MS, doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  installProducePatch();
});
afterAll(() => {
  produce.protocol = original;
  jest.useRealTimers();
});

const encodedBy = async (protocol: Protocol, version: number, given: ProduceArguments) =>
  (await protocol({ version })(given).request.encode()).buffer;

const plain = (messages: Message[], more: Partial<ProduceArguments> = {}): ProduceArguments => ({
  ...{ acks: -1, timeout: 30_000, transactionalId: undefined, producerId: -1, compression: 0 },
  topicData: [{ topic: 'delivery.acme', partitions: [{ partition: 0, messages }] }],
  ...more,
});

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const text = anyText({ maxLength: 80 });
const message: fc.Arbitrary<Message> = fc.record(
  {
    key: fc.oneof(bytes, text, fc.constant(null)),
    value: fc.oneof(bytes, text, fc.constant(null)),
    headers: fc.dictionary(text, fc.oneof(bytes, text, fc.array(fc.oneof(bytes, text), { maxLength: 3 })), {
      maxKeys: 5,
    }),
  },
  { requiredKeys: ['value'] },
);
const partitions = fc.array(
  fc.record({ partition: fc.nat({ max: 2 ** 31 - 1 }), messages: fc.array(message, { minLength: 1, maxLength: 70 }) }),
  { minLength: 1, maxLength: 3 },
);
const topicData = fc.array(fc.record({ topic: fc.string({ minLength: 1, maxLength: 249 }), partitions }), {
  minLength: 1,
  maxLength: 3,
});

test('it makes the very bytes that kafkajs makes, whatever is sent', async () => {
  await fc.assert(
    fc.asyncProperty(topicData, fc.constantFrom(3, 5, 7), async (data, version) => {
      const given = plain([], { topicData: data });
      const ours = await encodedBy(produce.protocol, version, given);
      expect(ours.equals(await encodedBy(original, version, given))).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test('lengths at the edges of their coding, and as many records as a batch takes', async () => {
  const lengths = [0, 1, 63, 64, 65, 8_191, 8_192, 1_048_575, 1_048_576, 1_048_577];
  const sized = plain(lengths.map((length) => ({ key: 'k'.repeat(length % 9_000), value: Buffer.alloc(length, 7) })));
  const many = plain(Array.from({ length: 9_000 }, (_, n) => ({ key: `${n}`, value: null, headers: { n: `${n}` } })));
  for (const given of [sized, many]) {
    const ours = await encodedBy(produce.protocol, 7, given);
    expect(ours.equals(await encodedBy(original, 7, given))).toBe(true);
  }
});

test('the request keeps its version', () => {
  expect(produce.protocol({ version: 6 })(plain([{ value: 'x' }])).request.apiVersion).toBe(6);
});

test('what is not plain is left to kafkajs', async () => {
  const messages = [{ key: 'k', value: 'v' }];
  const others = [
    plain(messages, { producerId: 7 }),
    plain(messages, { transactionalId: 'tx', producerId: 7 }),
    plain(messages, { compression: 1 }),
    plain([...messages, { value: 'v', timestamp: String(NOW_MS - 5_000) }]),
  ];
  for (const given of others) {
    const ours = await encodedBy(produce.protocol, 7, given);
    expect(ours.equals(await encodedBy(original, 7, given))).toBe(true);
  }
});

test('installing it again changes nothing', () => {
  const { protocol } = produce;
  installProducePatch();
  expect(produce.protocol).toBe(protocol);
});
