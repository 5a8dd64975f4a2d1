/** A bug that one record brings out costs that record a few tries and then a dead letter, and nobody else anything. */

import { Ending } from '@databridge/kernel/ending';
import type { ProducedRecord } from '@databridge/kernel/kafka/records';
import { createLogger } from '@databridge/kernel/log';
import type { Secret } from '@databridge/kernel/secrets/secret';
import { ManualClock } from '@databridge/kernel/time/manual-clock';
import { readDeadLetterHeaders } from '@databridge/schemas/records/headers';
import { parseRetryPlan, type RetryPlan } from '@databridge/schemas/retries/retry-plan';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { BufferedRecord } from '../lanes/buffered-records.ts';
import { Deliveries, type DeliveriesOptions } from './delivery.ts';

const plan = parseRetryPlan('1s*2', 60_000) as RetryPlan;

function recordOf(): BufferedRecord {
  const lane = { topic: 'delivery.acme', partition: 0, delayMs: 0 };
  const facts = { eventId: 'evt-1', eventType: 'root-cause', attempt: 0 };
  return {
    lane,
    offset: 0,
    dueAtMs: 0,
    value: Buffer.alloc(1),
    facts,
    copyKey: 'evt-1',
    bytes: 513,
  };
}

function deliveriesWith(
  overrides: Partial<DeliveriesOptions>,
  mayBeSent = true,
  isOurs: boolean | Promise<boolean> = true,
) {
  const told = { sent: 0, kept: 0, done: 0, written: [] as ProducedRecord[] };
  const deliveries = new Deliveries({
    clock: new ManualClock(),
    log: createLogger('test', 'silent'),
    plan,
    subscription: () => ({ customer: 'acme', enableEpoch: 0 }) as Subscription<Secret>,
    connection: () => 'connection',
    messages: { render: (record) => messageOf(record) },
    destinations: {
      send: async () => {
        told.sent++;
        return { outcome: { kind: 'delivered', status: 200 } };
      },
    },
    ownership: {
      isOurs: () => isOurs,
      mayBeSent: () => mayBeSent,
      lanes: {
        done: () => {
          told.done++;
        },
        putBack: () => {
          told.kept++;
        },
      },
    },
    gate: { recordOutcome: (_record, seen) => seen, heldFor: () => undefined, lastSuccessAtMs: undefined },
    nextTopics: {
      write: async (record) => {
        told.written.push(record);
        return true;
      },
    },
    punctuality: { recordAcceptance: () => undefined },
    inFlight: () => 1,
    stopping: new Ending(),
    onFailed: () => undefined,
    onAttempt: () => undefined,
    onDeadLetter: () => undefined,
    onDone: () => undefined,
    onWaiting: () => undefined,
    disable: () => undefined,
    ...overrides,
  });
  return { deliveries, told };
}

const messageOf = ({ facts }: BufferedRecord) => ({
  ...{ eventId: facts.eventId, eventType: 'root-cause', schemaVersion: 'v1.0', attempt: 1 },
  ...{ traceparent: undefined, body: Buffer.from('{}') },
});

test('a bug past the sending: twice back to its lane, the third time a dead letter as internal', async () => {
  const { deliveries, told } = deliveriesWith({
    onAttempt: () => {
      throw new TypeError('poison');
    },
  });
  const record = recordOf();
  await deliveries.deliver(record);
  await deliveries.deliver(record);
  expect(told).toMatchObject({ kept: 2, done: 0, written: [] });
  await deliveries.deliver(record);
  expect(told).toMatchObject({ kept: 2, done: 1 });
  const [letter] = told.written;
  expect(letter?.topic).toBe('delivery.acme.dead');
  expect(readDeadLetterHeaders(letter?.headers ?? {})).toMatchObject({ reason: 'internal', detail: 'poison' });
});

test('a bug in rendering is tried three times at once, then a dead letter; nothing is sent', async () => {
  let renders = 0;
  const render = () => {
    renders++;
    throw new RangeError('unreadable');
  };
  const { deliveries, told } = deliveriesWith({ messages: { render } });
  await deliveries.deliver(recordOf());
  expect(renders).toBe(3);
  expect(told).toMatchObject({ sent: 0, done: 1 });
});

test('what waited for its schema is not sent once the lease is out, and goes back if it is still ours', async () => {
  for (const isOurs of [true, false]) {
    const { deliveries, told } = deliveriesWith({}, false, Promise.resolve(isOurs));
    await deliveries.deliver(recordOf());
    expect(told).toMatchObject({ sent: 0, done: 0, kept: isOurs ? 1 : 0, written: [] });
  }
});

test('a record that waited for its schema returns to its lane although it might be sent: gate and rate are asked again', async () => {
  const { deliveries, told } = deliveriesWith({ messages: { render: async (record) => messageOf(record) } });
  await deliveries.deliver(recordOf());
  expect(told).toMatchObject({ sent: 0, done: 0, kept: 1, written: [] });
});

test('an erased event is passed over: neither rendered, nor sent, nor written anywhere', async () => {
  const { deliveries, told } = deliveriesWith({ isErased: ({ eventId }) => eventId === 'evt-1' });
  await deliveries.deliver(recordOf());
  expect(told).toEqual({ sent: 0, kept: 0, done: 1, written: [] });
});

test('an event that is erased while its request is under way is not written to its next topic', async () => {
  let isErased = false;
  const reports: unknown[] = [];
  const send = async () => {
    isErased = true;
    const outcome = { kind: 'retry', reason: 'status 503', status: 503 } as const;
    return { outcome, answerBody: 'it quotes the event' };
  };
  const { deliveries, told } = deliveriesWith({
    isErased: () => isErased,
    destinations: { send },
    onAttempt: (attempt) => reports.push(attempt),
  });
  await deliveries.deliver(recordOf());
  expect(told).toMatchObject({ done: 1, kept: 0, written: [] });
  expect(JSON.stringify(reports)).not.toContain('quotes');
});
