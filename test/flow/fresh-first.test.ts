/** After an outage a customer with `freshFirst` gets new events at once, the backlog beside them, and every event. */
import { deliveryTopic } from '@databridge/schemas/records/topics';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { Receiver } from '../harness/receiver.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

const BACKLOG = 4_000;
const RATE = 100;

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.start({ delivery: { BREAKER_MIN_ATTEMPTS: '5', BREAKER_RESET: '1s', RETRY_PLAN: '1s*2,2s*20' } });
});

test('a fresh event arrives before the backlog has drained, also after a SIGKILL of the worker, and nothing is lost', async () => {
  const customer = freshName('fresh');
  const receiver = await Receiver.start(() => ({ status: 503 }));
  const subscription = { maxInFlight: 4, freshFirst: { backlogShare: 0.2 } };
  await stage.subscribe(customer, receiver.url, { ...subscription, ratePerSecond: RATE });
  await stage.upstream.produce(Array.from({ length: BACKLOG }, () => rootCauseEvent({ company: customer })));
  await eventually(
    () => stage.admin.watermarks(deliveryTopic(customer)),
    (ends) => ends.reduce((sum, { high }) => sum + high, 0) === BACKLOG,
  );
  await stage.delivery.waitForLog((line) => line['customer'] === customer && line['breaker'] === 'open');
  receiver.script = () => ({});
  await receiver.waitFor(({ accepted }) => accepted >= 100);

  let fresh = 0;
  const freshArrives = async () => {
    const id = `${customer}-fresh-${fresh++}`;
    const before = receiver.accepted;
    await stage.upstream.produce([rootCauseEvent({ company: customer })], { 'event-id': id });
    await receiver.waitFor(({ timesById }) => timesById.has(id));
    return receiver.accepted - before;
  };
  // In order, thousands would be before it. At this rate, some seconds' worth is enough for a slow machine.
  expect(await freshArrives()).toBeLessThan(BACKLOG / 4);
  const done = await eventually(
    () => stage.admin.committedOffsets(deliveryTopic(customer)),
    (offsets) => offsets.some(({ topic, metadata }) => topic === deliveryTopic(customer) && metadata !== ''),
  );
  expect(done.find(({ topic }) => topic === deliveryTopic(customer))?.offset).toBeLessThan(BACKLOG);
  const before = new Set(receiver.timesById.keys());
  await stage.delivery.kill();
  const acceptedAtKill = receiver.accepted;
  await stage.restartDelivery();
  await receiver.waitFor(({ accepted }) => accepted > acceptedAtKill + 10);
  expect(await freshArrives()).toBeLessThan(BACKLOG / 4);
  expect(receiver.accepted).toBeLessThan(BACKLOG);

  // The oldest of the backlog go out beside them: more than the share is not needed to see it.
  await receiver.waitFor(({ timesById }) => timesById.size > before.size + fresh);
  await stage.subscribe(customer, receiver.url, { ...subscription, maxInFlight: 64 });
  await receiver.waitFor(({ accepted }) => accepted === BACKLOG + fresh, 180_000);
  await eventually(
    () => stage.lag(customer, deliveryTopic(customer)),
    (lag) => lag === 0,
  );
}, 400_000);
