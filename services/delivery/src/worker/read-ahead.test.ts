import type { ConsumedRecord } from '@databridge/kernel/kafka/records';
import { createLogger } from '@databridge/kernel/log';
import type { Secret } from '@databridge/kernel/secrets/secret';
import { ManualClock } from '@databridge/kernel/time/manual-clock';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import { ReadAhead } from './read-ahead.ts';

const log = createLogger('test', 'silent');

function subscriptionValue(customer: string, url: string): Buffer {
  const match = { company: [customer] };
  return Buffer.from(
    JSON.stringify({ customer, eventTypes: ['root-cause'], match, destination: { type: 'http', url } }),
  );
}

function record(customer: string, value: Buffer | null): ConsumedRecord {
  return { offset: 0, timestampMs: 0, key: Buffer.from(customer), value, headers: {} };
}

function reading(records: readonly ConsumedRecord[]) {
  const clock = new ManualClock();
  const opened: string[] = [];
  let reads = 0;
  const ahead = new ReadAhead({
    ...{ clock, log },
    read: async (onBatch) => {
      reads++;
      onBatch({ records });
    },
    open: async (subscription) => {
      opened.push(subscription.customer);
      if (subscription.customer === 'damaged') throw new Error('the seal is damaged');
      return { ...subscription } as unknown as Subscription<Secret>;
    },
  });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return { ahead, clock, opened, turn, reads: () => reads };
}

const A = subscriptionValue('a', 'https://a.example/1');
const B = subscriptionValue('b', 'https://b.example/1');

test('while the worker waits for its group, subscriptions are decoded and opened once, by their latest records', async () => {
  const damaged = subscriptionValue('damaged', 'https://d.example');
  const { ahead, clock, opened, turn } = reading([
    record('damaged', damaged),
    record('a', subscriptionValue('a', 'https://a.example/0')),
    record('a', A),
    record('gone', subscriptionValue('gone', 'https://g.example')),
    record('gone', null),
    record('invalid', Buffer.from('{}')),
    record('b', B),
  ]);
  ahead.begin();
  clock.advance(500);
  await turn();
  expect(opened).toEqual(['damaged', 'a', 'b']);
  ahead.end();

  const a = ahead.decode('a', Buffer.from(A));
  expect(a).toBe(ahead.decode('a', Buffer.from(A)));
  expect(a?.destination).toMatchObject({ url: 'https://a.example/1' });
  expect((await ahead.open(a as Subscription)).customer).toBe('a');
  expect(opened).toEqual(['damaged', 'a', 'b']);
  // What was changed since is decoded and opened anew, and so is what could not be opened.
  const changed = ahead.decode('b', subscriptionValue('b', 'https://b.example/2')) as Subscription;
  expect(changed.destination).toMatchObject({ url: 'https://b.example/2' });
  await ahead.open(changed);
  const broken = ahead.decode('damaged', damaged) as Subscription;
  await expect(ahead.open(broken)).rejects.toThrow('damaged');
  await expect(ahead.open(broken)).rejects.toThrow('damaged');
  expect(opened).toEqual(['damaged', 'a', 'b', 'b', 'damaged']);
});

test('nothing is read ahead if the wait is short, and after a while what was not used is forgotten', async () => {
  const short = reading([record('a', A)]);
  short.ahead.begin();
  short.clock.advance(499);
  short.ahead.end();
  short.clock.advance(60_000);
  await short.turn();
  expect(short.reads()).toBe(0);
  expect(short.ahead.decode('a', A)).not.toBe(short.ahead.decode('a', A));

  const long = reading([record('a', A)]);
  long.ahead.begin();
  long.clock.advance(500);
  await long.turn();
  long.ahead.end();
  const a = long.ahead.decode('a', A) as Subscription;
  long.clock.advance(60_000);
  expect(long.ahead.decode('a', A)).not.toBe(a);
  await long.ahead.open(a);
  expect(long.opened).toEqual(['a', 'a']);
});
