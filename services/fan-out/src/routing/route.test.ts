import type { ConsumedRecord } from '@databridge/kernel/kafka/records';
import type { ReaderLookup } from '@databridge/kernel/registry/event-readers';
import { frame } from '@databridge/schemas/event/confluent-frame';
import { loadEventTypes } from '@databridge/schemas/event/event-types';
import { eventIdOf } from '@databridge/schemas/records/headers';
import type { FilterVerdict } from '@databridge/schemas/subscription/filter/event-filter';
import { type RouteContext, routeRecords } from './route.ts';

const [rootCause] = loadEventTypes('root-cause=root-cause.events');
if (!rootCause) throw new Error('no event type');
const reader: ReaderLookup = { kind: 'reader', reader: rootCause.readerFor(rootCause.schemaJson) };
const GOOD = rootCause.encode(1, {
  schema_version: 'v1.0',
  statusCode: 200,
  summary: {
    filename: '',
    requestid: '',
    company: 'ACME',
    organisation: 'NA',
    folder: 'Support',
    processed: true,
    process_result: '',
  },
});

function record(offset: number, value: Buffer | null, headers = {}): ConsumedRecord {
  return { offset, timestampMs: 0, key: Buffer.from('key'), value, headers };
}

function context(overrides: Partial<RouteContext> = {}): RouteContext {
  return {
    eventType: 'root-cause',
    intake: { topic: 'root-cause.events', partition: 2 },
    readerOf: () => reader,
    customersFor: () => ['a', 'b'],
    filteredAmong: () => [],
    ask: () => ({ kind: 'matches' }),
    ...overrides,
  };
}

test('each customer gets the same bytes under the same id', () => {
  const intake = record(7, GOOD);
  const { records, matched, unmatched } = routeRecords([intake], context());
  const eventId = eventIdOf(intake, 'root-cause');
  // One of its own for each record: a tombstone of it takes away no other.
  const key = `0 0 ${eventId}@root-cause.events/2/7`;
  const headers = {
    'event-id': eventId,
    'event-type': 'root-cause',
    source: 'root-cause.events/2/7',
    'intake-at': String(intake.timestampMs),
  };
  expect(records).toEqual([
    { topic: 'delivery.a', key, value: GOOD, headers },
    { topic: 'delivery.b', key, value: GOOD, headers },
  ]);
  expect(records[0]?.value).toBe(GOOD);
  expect({ matched, unmatched }).toEqual({ matched: 1, unmatched: 0 });
});

test('a record with more headers than are decoded is quarantined', () => {
  const poison = { ...record(3, GOOD), excessHeaders: { count: 5_000, bytes: 20_000 } };
  const { quarantined, matched } = routeRecords([poison], context());
  expect(matched).toBe(0);
  expect(quarantined).toMatchObject([{ reason: 'too-many-headers', detail: expect.stringMatching(/^5000 headers/) }]);
});

test('a batch that is too large to be decompressed is quarantined as one record', () => {
  const facts = { firstOffset: 3, lastOffset: 9, records: 7, compressedBytes: 500, maxBytes: 1_000 };
  const { quarantined, records } = routeRecords([{ ...record(9, null), oversizedBatch: facts }], context());
  expect(quarantined).toMatchObject([
    { reason: 'batch-too-large', detail: expect.stringContaining('offsets 3 to 9 (7 records') },
  ]);
  expect(records).toMatchObject([{ key: 'root-cause.events/2/9' }]);
});

test('customers are asked for by the event’s type and routing', () => {
  const customersFor = (...args: unknown[]) => [JSON.stringify(args)];
  const { records } = routeRecords([record(0, GOOD)], context({ customersFor }));
  expect(records[0]?.topic).toBe('delivery.["root-cause",{"company":"ACME","organisation":"NA","folder":"Support"}]');
});

test('an event that nobody wants is counted, and goes nowhere', () => {
  expect(routeRecords([record(0, GOOD)], context({ customersFor: () => [] }))).toMatchObject({
    records: [],
    matched: 0,
    unmatched: 1,
  });
});

test('what waits for a schema is handed back, and the rest is decided', () => {
  const late = record(0, frame(9, GOOD.subarray(5)));
  const routed = routeRecords(
    [late, record(1, GOOD)],
    context({ readerOf: (schemaId) => (schemaId === 1 ? reader : undefined) }),
  );
  expect(routed.undecided).toEqual([late]);
  expect([...routed.unknownSchemaIds]).toEqual([9]);
  expect(routed.matched).toBe(1);
});

const unreadable: ReaderLookup = { kind: 'unreadable', reason: 'unknown-schema', detail: 'no schema 1' };
test.each<[string, Buffer | null, Partial<RouteContext>]>([
  ['no-value', null, {}],
  ['malformed-frame', Buffer.from('{}'), {}],
  ['malformed-data', GOOD.subarray(0, 20), {}],
  ['unknown-schema', GOOD, { readerOf: () => unreadable }],
])('%s goes to quarantine, and the record after it on its way', (reason, value, overrides) => {
  const after = record(1, frame(1, GOOD.subarray(5)));
  const readerOf = overrides.readerOf && ((id: number) => overrides.readerOf?.(id));
  const routed = routeRecords([record(0, value), ...(readerOf ? [] : [after])], context(overrides));
  expect(routed.quarantined).toMatchObject([{ reason, source: 'root-cause.events/2/0' }]);
  expect(routed.records[0]).toMatchObject({
    topic: 'fan-out.quarantine',
    key: 'root-cause.events/2/0',
    value: value ?? Buffer.alloc(0),
    headers: { 'quarantine-reason': reason, 'event-type': 'root-cause', 'intake-key': Buffer.from('key') },
  });
  expect(routed.matched).toBe(readerOf ? 0 : 1);
});

test('a fault of our own is tried three times, then quarantines that one record', () => {
  let tries = 0;
  const customersFor = () => {
    tries++;
    throw new Error('a bug');
  };
  const routed = routeRecords([record(0, GOOD)], context({ customersFor }));
  expect(tries).toBe(3);
  expect(routed.quarantined).toEqual([{ reason: 'internal', detail: 'a bug', source: 'root-cause.events/2/0' }]);
});

test('a trace goes on; what only looks like one does not', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const { records } = routeRecords(
    [record(0, GOOD, { traceparent }), record(1, GOOD, { traceparent: 'x' })],
    context(),
  );
  expect(records.map(({ headers }) => headers?.['traceparent'])).toEqual([
    traceparent,
    traceparent,
    undefined,
    undefined,
  ]);
});

test('a record that is too large for our topics is quarantined without its bytes, which its source keeps', () => {
  const call = { filename: '', requestid: '', company: 'ACME', organisation: 'NA', folder: 'Support' };
  const summary = { ...call, processed: true, process_result: 'x'.repeat(2_000_000) };
  const huge = rootCause.encode(1, { schema_version: 'v1.0', statusCode: 200, summary });
  const { records, quarantined } = routeRecords([record(7, huge), record(8, GOOD)], context());
  expect(quarantined).toMatchObject([{ reason: 'too-large', source: 'root-cause.events/2/7' }]);
  expect(records.map(({ topic }) => topic)).toEqual(['fan-out.quarantine', 'delivery.a', 'delivery.b']);
  expect(records[0]).toMatchObject({ key: 'root-cause.events/2/7', value: Buffer.alloc(0) });
});

test('nobody wants it: then its size is nobody’s trouble', () => {
  const value = Buffer.concat([GOOD.subarray(0, 5), Buffer.alloc(2_000_000)]);
  const unreadable = routeRecords([record(7, value)], context({ customersFor: () => [] }));
  expect(unreadable.records.every((one) => (one.value?.length ?? 0) === 0)).toBe(true);
});

test('filters are evaluated once per event and text; a customer whose filter fails gets the event', () => {
  const texts = { a: undefined, b: 'no', c: 'yes', d: 'no', e: 'unclear' };
  const asked: string[] = [];
  const verdicts: Record<string, FilterVerdict> = {
    no: { kind: 'differs' },
    yes: { kind: 'matches' },
    unclear: { kind: 'failed', detail: 'division by zero' },
  };
  const routed = routeRecords(
    [record(7, GOOD)],
    context({
      customersFor: () => Object.keys(texts),
      filteredAmong: () =>
        Object.entries(texts).flatMap(([customer, filter]) => (filter === undefined ? [] : [{ customer, filter }])),
      ask({ filter }, event) {
        asked.push(filter);
        expect(event).toEqual(reader.kind === 'reader' && reader.reader.decoded(GOOD));
        return verdicts[filter] as FilterVerdict;
      },
    }),
  );
  expect(routed.records.map(({ topic }) => topic)).toEqual(['delivery.a', 'delivery.c', 'delivery.e']);
  expect(asked).toEqual(['no', 'yes', 'unclear']);
  expect(routed).toMatchObject({ matched: 1, unmatched: 0, filteredOut: 2 });
  expect(routed.filterFailures).toEqual([
    { customer: 'e', detail: 'division by zero', source: 'root-cause.events/2/7' },
  ]);
});

test('a filter of the customer’s own that has no time left is not asked, and the event goes to it; an operator’s always is', () => {
  const asked: string[] = [];
  const routed = routeRecords(
    [record(7, GOOD)],
    context({
      customersFor: () => ['a', 'b', 'c'],
      filteredAmong: () => [
        { customer: 'a', filter: 'costly', isOwn: true },
        { customer: 'b', filter: 'granted' },
        { customer: 'b', filter: 'own', isOwn: true },
        { customer: 'c', filter: 'other', isOwn: true },
      ],
      mayAsk: (customer) => customer === 'c',
      ask({ filter }) {
        asked.push(filter);
        return { kind: 'differs' };
      },
    }),
  );
  expect(routed.records.map(({ topic }) => topic)).toEqual(['delivery.a']);
  expect(asked).toEqual(['granted', 'other']);
  expect(routed.filterFailures.map(({ customer, detail }) => [customer, detail])).toEqual([
    ['a', expect.stringContaining('more than its part')],
    ['b', expect.stringContaining('more than its part')],
  ]);
});

test('a turn ends after the record that used it up, and returns the others in order', () => {
  let turns = 0;
  const records = [0, 1, 2, 3].map((offset) => record(offset, GOOD));
  const first = routeRecords(records, context({ mayGoOn: () => ++turns < 2 }));
  expect(first.matched).toBe(2);
  expect(first.left.map(({ offset }) => offset)).toEqual([2, 3]);
  const slow = routeRecords(first.left, context({ mayGoOn: () => false }));
  expect(slow.left.map(({ offset }) => offset)).toEqual([3]);
  expect(routeRecords(slow.left, context()).left).toEqual([]);
});
