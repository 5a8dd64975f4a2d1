/** A worker that dies loses nothing, and what it sends again is bounded by what was in flight or not yet committed. */

import { decodeAttempts } from '@databridge/schemas/records/attempts';
import { ATTEMPTS_TOPIC, deliveryTopic } from '@databridge/schemas/records/topics';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { Receiver } from '../harness/receiver.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.start();
});

const events = (company: string, count: number) => Array.from({ length: count }, () => rootCauseEvent({ company }));

test('SIGKILL in the middle of 6,000: every event arrives, repeats are in flight plus not committed at most', async () => {
  const customer = freshName('killed');
  const count = 6_000;
  const maxInFlight = 64;
  const receiver = await Receiver.start();
  await stage.subscribe(customer, receiver.url, { maxInFlight });
  await stage.upstream.produce(events(customer, count));
  await receiver.waitFor(({ accepted }) => accepted >= count / 4, 180_000);
  await stage.delivery.kill();
  const seenAtKill = receiver.timesById.size;

  // What the dead worker's last commit says was done: nothing of it may be sent again.
  const records = await stage.read(deliveryTopic(customer));
  const committed = await stage.admin.committedOffsets(deliveryTopic(customer));
  const offset = committed.find(({ topic }) => topic === deliveryTopic(customer))?.offset ?? 0;
  const done = new Set(
    records.filter((record) => record.offset < offset).map(({ headers }) => String(headers['event-id'])),
  );
  expect(seenAtKill).toBeLessThan(count);

  await stage.restartDelivery();
  await receiver.waitFor(({ accepted }) => accepted === count, 300_000);
  // What was in flight may not have reached the receiver's own count when that was read.
  expect(receiver.repeats).toBeLessThanOrEqual(seenAtKill - done.size + maxInFlight);
  for (const id of done) expect(receiver.timesById.get(id)).toBe(1);
}, 600_000);

test('a graceful stop finishes what is in flight: the next worker repeats nothing', async () => {
  const customer = freshName('drained');
  const receiver = await Receiver.start(() => ({ delayMs: 300 }));
  await stage.subscribe(customer, receiver.url, { maxInFlight: 16 });
  await stage.upstream.produce(events(customer, 200));
  await receiver.waitFor(({ requests }) => requests.length >= 40);
  expect(await stage.delivery.stop()).toBe(0);
  const sent = receiver.requests.length;
  expect(receiver.accepted).toBe(sent);

  await stage.restartDelivery();
  await receiver.waitFor(({ accepted }) => accepted === 200);
  expect(receiver.repeats).toBe(0);
  await eventually(
    () => stage.lag(customer, deliveryTopic(customer)),
    (lag) => lag === 0,
  );
});

test('the attempt log contains every attempt whose offset is committed', async () => {
  const customer = freshName('logged');
  const receiver = await Receiver.start();
  await stage.subscribe(customer, receiver.url);
  await stage.upstream.produce(events(customer, 100));
  await receiver.waitFor(({ accepted }) => accepted === 100);
  await eventually(
    () => stage.lag(customer, deliveryTopic(customer)),
    (lag) => lag === 0,
  );
  const batches = (await stage.read(ATTEMPTS_TOPIC)).map(({ value }) => decodeAttempts(value ?? Buffer.alloc(0)));
  const attempts = batches.flatMap((batch) => (batch?.customer === customer ? batch.attempts : []));
  expect(new Set(attempts.map(({ eventId }) => eventId))).toEqual(new Set(receiver.timesById.keys()));
  expect(attempts.every(({ outcome, status }) => outcome === 'delivered' && status === 200)).toBe(true);
});
