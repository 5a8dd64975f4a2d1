import fc from 'fast-check';
import {
  type DeliveryHeaders,
  eventIdOf,
  formatSource,
  parseSource,
  readDeadLetterHeaders,
  readDeliveryHeaders,
  writeDeadLetterHeaders,
  writeDeliveryHeaders,
} from './headers.ts';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const FULL: DeliveryHeaders = {
  eventId: 'evt_1',
  eventType: 'root-cause',
  source: 'root-cause.events/3/42',
  attempt: 7,
  firstAttemptAtMs: 1_700_000_000_000,
  lastOutcome: '503',
  replayId: 'rpl_1',
  traceparent: TRACEPARENT,
};

describe('delivery headers', () => {
  test('come back as they were written', () => {
    expect(readDeliveryHeaders(writeDeliveryHeaders(FULL))).toEqual(FULL);
    expect(readDeadLetterHeaders(writeDeadLetterHeaders({ ...FULL, reason: 'refused', detail: '404' }))).toEqual({
      ...FULL,
      reason: 'refused',
      detail: '404',
    });
  });

  test('in the main lane there is no attempt yet', () => {
    const headers = writeDeliveryHeaders({ eventId: 'e', eventType: 't', attempt: 0 });
    expect(headers).toEqual({ 'event-id': 'e', 'event-type': 't' });
    expect(readDeliveryHeaders(headers).attempt).toBe(0);
  });

  test('of a header sent twice the last counts', () => {
    expect(readDeliveryHeaders({ 'event-id': [Buffer.from('a'), Buffer.from('b')] }).eventId).toBe('b');
  });

  test('reading whatever there is never throws, and numbers are whole and not negative', () => {
    const value = fc.oneof(
      fc.string(),
      fc.uint8Array().map(Buffer.from),
      fc.array(fc.string()),
      fc.constant(undefined),
    );
    const names = fc.constantFrom('event-id', 'attempt', 'first-attempt-at', 'traceparent', 'source');
    fc.assert(
      fc.property(fc.dictionary(names, value), (headers) => {
        const { attempt, firstAttemptAtMs } = readDeliveryHeaders(headers);
        expect(attempt).toBeGreaterThanOrEqual(0);
        expect(Number.isSafeInteger(attempt)).toBe(true);
        expect(firstAttemptAtMs === undefined || Number.isSafeInteger(firstAttemptAtMs)).toBe(true);
      }),
    );
  });

  test('what is no trace context is not passed on', () => {
    expect(readDeliveryHeaders({ traceparent: 'x\r\nevil: 1' }).traceparent).toBeUndefined();
  });
});

describe('event id', () => {
  const record = (key: string | null, value: string | null, headers = {}) => ({
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    headers,
  });

  test('is the producer’s, if it gave one', () => {
    expect(eventIdOf(record('k', 'v', { 'event-id': Buffer.from('order-17') }), 't')).toBe('order-17');
  });

  test.each(['', 'two words', 'a\nb', 'é', 'x'.repeat(129)])(
    'an id that could not travel as a header (%j) is not taken',
    (id) => {
      expect(eventIdOf(record('k', 'v', { 'event-id': id }), 't')).toBe(eventIdOf(record('k', 'v'), 't'));
    },
  );

  test('else depends on event type, key and value, and on nothing else', () => {
    const id = eventIdOf(record('k', 'v', { other: '1' }), 't');
    expect(id).toMatch(/^evt_[\w-]{22,}$/);
    expect(eventIdOf(record('k', 'v'), 't')).toBe(id);
    const others = [
      eventIdOf(record('k', 'v'), 'u'),
      eventIdOf(record('kv', ''), 't'),
      eventIdOf(record('', 'kv'), 't'),
      eventIdOf(record(null, 'kv'), 't'),
      eventIdOf(record('k', null), 't'),
    ];
    expect(new Set([id, ...others]).size).toBe(6);
  });
});

test('a source names its record, and is read back', () => {
  const source = formatSource('root-cause.events', 3, 42);
  expect(source).toBe('root-cause.events/3/42');
  expect(parseSource(source)).toEqual({ topic: 'root-cause.events', partition: 3, offset: 42 });
  expect(parseSource('nonsense')).toBeUndefined();
});
