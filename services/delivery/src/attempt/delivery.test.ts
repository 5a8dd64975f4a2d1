/** A bug that one record brings out costs that record a few tries and then a dead letter, and nobody else anything. */
import type { ProducedRecord } from '@databridge/kernel/kafka/records';
import { createLogger } from '@databridge/kernel/log';
import { ManualClock } from '@databridge/kernel/time/manual-clock';
import { readDeadLetterHeaders } from '@databridge/schemas/records/headers';
import { parseRetryPlan, type RetryPlan } from '@databridge/schemas/retries/retry-plan';
import type { HeldRecord } from '../lanes/held-records.ts';
import { type DeliveryContext, deliverSafely } from './delivery.ts';

const plan = parseRetryPlan('1s*2', 60_000) as RetryPlan;

function recordOf(): HeldRecord {
  const lane = { topic: 'delivery.acme', partition: 0, delayMs: 0 };
  const facts = { eventId: 'evt-1', eventType: 'root-cause', attempt: 0 };
  return {
    lane,
    offset: 0,
    dueAtMs: 0,
    key: Buffer.from('evt-1'),
    value: Buffer.alloc(1),
    facts,
    copyKey: 'evt-1',
    bytes: 513,
  };
}

function contextWith(overrides: Partial<DeliveryContext>) {
  const told = { sent: 0, kept: 0, done: 0, written: [] as ProducedRecord[] };
  const context: DeliveryContext = {
    customer: 'acme',
    enableEpoch: () => 0,
    connection: () => 'connection',
    plan,
    clock: new ManualClock(),
    log: createLogger('test', 'silent'),
    render: (record) => ({
      eventId: record.facts.eventId,
      eventType: 'root-cause',
      schemaVersion: 'v1.0',
      attempt: 1,
      traceparent: undefined,
      body: Buffer.from('{}'),
    }),
    maySend: () => true,
    send: async () => {
      told.sent++;
      return { outcome: { kind: 'delivered', status: 200 } };
    },
    observe: (_record, outcome) => outcome,
    lastSuccessAtMs: () => undefined,
    report: () => undefined,
    isOurs: () => true,
    write: async (record) => {
      told.written.push(record);
      return true;
    },
    done: () => {
      told.done++;
    },
    keep: () => {
      told.kept++;
    },
    disable: () => undefined,
    ...overrides,
  };
  return { context, told };
}

test('a bug past the sending: twice back to its lane, the third time a dead letter as internal', async () => {
  const { context, told } = contextWith({
    report: () => {
      throw new TypeError('poison');
    },
  });
  const record = recordOf();
  await deliverSafely(record, context);
  await deliverSafely(record, context);
  expect(told).toMatchObject({ kept: 2, done: 0, written: [] });
  await deliverSafely(record, context);
  expect(told).toMatchObject({ kept: 2, done: 1 });
  const [letter] = told.written;
  expect(letter?.topic).toBe('delivery.acme.dead');
  expect(readDeadLetterHeaders(letter?.headers ?? {})).toMatchObject({ reason: 'internal', detail: 'poison' });
});

test('a bug in rendering is tried three times at once, then a dead letter; nothing is sent', async () => {
  let renders = 0;
  const { context, told } = contextWith({
    render: () => {
      renders++;
      throw new RangeError('unreadable');
    },
  });
  await deliverSafely(recordOf(), context);
  expect(renders).toBe(3);
  expect(told).toMatchObject({ sent: 0, done: 1 });
});

test('what waited for its schema is not sent once the lease is out, and goes back if it is still ours', async () => {
  for (const isOurs of [true, false]) {
    const { context, told } = contextWith({ maySend: () => false, isOurs: async () => isOurs });
    await deliverSafely(recordOf(), context);
    expect(told).toMatchObject({ sent: 0, done: 0, kept: isOurs ? 1 : 0, written: [] });
  }
});

test('what waited for its schema goes back to its lane although it might be sent: gate and rate are asked anew', async () => {
  const waited = contextWith({});
  const { render } = waited.context;
  await deliverSafely(recordOf(), { ...waited.context, render: async (...given) => await render(...given) });
  expect(waited.told).toMatchObject({ sent: 0, done: 0, kept: 1, written: [] });
});

test('an erased event is passed over: neither rendered, nor sent, nor written anywhere', async () => {
  const { context, told } = contextWith({ isErased: ({ eventId }) => eventId === 'evt-1' });
  await deliverSafely(recordOf(), context);
  expect(told).toEqual({ sent: 0, kept: 0, done: 1, written: [] });
});

test('an event that is erased while its request is under way is not written to its next topic', async () => {
  let isErased = false;
  const reports: unknown[] = [];
  const { context, told } = contextWith({
    isErased: () => isErased,
    send: async () => {
      isErased = true;
      return { outcome: { kind: 'retry', reason: 'status 503', status: 503 }, answerBody: 'it quotes the event' };
    },
    report: (attempt) => reports.push(attempt),
  });
  await deliverSafely(recordOf(), context);
  expect(told).toMatchObject({ done: 1, kept: 0, written: [] });
  expect(JSON.stringify(reports)).not.toContain('quotes');
});
