/** A customer with `freshFirst`, whose backlog grew while its destination was down: what comes after goes out at once. */
import { EventEmitter } from 'node:events';
import type { Outcome } from '@databridge/delivery/attempt/outcome';
import { CommitPace } from '@databridge/delivery/customer/commit-pace';
import { Customer } from '@databridge/delivery/customer/customer';
import type { Message } from '@databridge/delivery/destination/destination';
import type { BufferedRecord } from '@databridge/delivery/lanes/buffered-records';
import { ByteBudget } from '@databridge/delivery/lanes/byte-budget';
import { InFlight } from '@databridge/delivery/shares/in-flight';
import { Turns } from '@databridge/delivery/shares/turns';
import { ManualClock } from '@databridge/kernel/time/manual-clock';
import { Random } from './random.ts';
import { SimulatedGroup, SimulatedKafka } from './simulated-kafka.ts';
import { CONNECTION, EPOCH_MS, log, MAIN, messageOf, metrics, PLAN, subscribed, turn } from './surroundings.ts';

const BACKLOG = 4_000;

/** @returns after how many accepted events a fresh one was accepted that came after the first hundred */
async function acceptedBeforeFresh(settings: object): Promise<number> {
  const clock = new ManualClock(EPOCH_MS);
  const kafka = new SimulatedKafka(() => clock.monotonicMs());
  const subscription = subscribed({ maxInFlight: 4, ratePerSecond: 100, ...settings });
  const accepted: string[] = [];
  let outcome: Outcome = { kind: 'retry', reason: 'status 503', status: 503 };
  let group: SimulatedGroup | undefined;
  const send = async (message: Message) => {
    const { record } = message as Message & { record: BufferedRecord };
    if (outcome.kind === 'delivered') accepted.push(record.facts.eventId);
    return { outcome };
  };
  const customer = new Customer(subscription, 'same', undefined, [], {
    worker: 'w',
    openGroup: (options) => {
      group = new SimulatedGroup(kafka, options, new Random(1));
      return group;
    },
    ensureTopic: async () => undefined,
    producer: {
      send: async (records) => {
        for (const record of records) if (record.topic.startsWith('delivery.')) kafka.append(record, EPOCH_MS);
      },
      ...CONNECTION,
    },
    messages: { render: messageOf },
    budget: new ByteBudget(32 * 1_048_576),
    inFlight: new InFlight({ requests: 1_000, bytes: 1e9 }),
    turns: new Turns(() => 0),
    ...{ clock, random: () => 0.5, log, metrics, plan: PLAN },
    breaker: { resetAfterMs: 1_000, minAttempts: 5, failurePercentage: 50, windowMs: 10_000 },
    breakerRotation: new EventEmitter(),
    commitPace: new CommitPace(200, 200),
    ...{ statusIntervalMs: 15_000, maxRetryAfterMs: 1_000, abortAfterMs: 1e9 },
    openDestination: () => ({ send, close: async () => undefined, abort: async () => undefined }),
    onDisabled: () => undefined,
  });
  await customer.start(new AbortController().signal);

  const produce = (eventId: string) => {
    const headers = { 'event-id': eventId, 'event-type': 'any', source: `intake/0/${eventId}` };
    kafka.append({ topic: MAIN, key: eventId, value: 'x', headers }, EPOCH_MS);
  };
  const until = async (isSo: () => boolean) => {
    for (let step = 0; !isSo(); step++) {
      if (step > 10_000) throw new Error(`after ${accepted.length} accepted events it is not so`);
      for (const topic of kafka.logs.keys()) await group?.fetch(topic, 270);
      clock.advance(50);
      await turn();
    }
  };
  for (let n = 0; n < BACKLOG; n++) {
    produce(`old-${n}`);
    if (n % 50 === 0) await group?.fetch(MAIN, 270);
  }
  const atMs = clock.monotonicMs();
  await until(() => clock.monotonicMs() > atMs + 5_000);
  outcome = { kind: 'delivered', status: 200 };
  await until(() => accepted.length >= 100);
  produce('fresh');
  await until(() => accepted.includes('fresh'));
  const before = accepted.indexOf('fresh');
  await until(() => new Set(accepted).size === BACKLOG + 1);
  return before;
}

test('it is not behind the backlog, which is delivered to its end all the same', async () => {
  expect(await acceptedBeforeFresh({ freshFirst: { backlogShare: 0.2 } })).toBeLessThan(150);
});

test('without the setting it is the last one', async () => {
  expect(await acceptedBeforeFresh({})).toBe(BACKLOG);
});
