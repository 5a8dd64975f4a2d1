/** Status answers tell what is so now: who runs a customer, what holds it, and where a lost group would go on from. */

import { readTopic } from '@databridge/kernel/kafka/topic-reader';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { decodeStatus, type WorkerStatus } from '@databridge/schemas/records/status';
import { STATUS_TOPIC } from '@databridge/schemas/records/topics';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { Receiver } from '../harness/receiver.ts';
import { type ControlPlane, startControlPlane } from '../harness/services/control-plane.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

let stage: Stage;
let plane: ControlPlane;

beforeAll(async () => {
  stage = await Stage.start({
    delivery: { STATUS_INTERVAL: '500ms', REPORT_INTERVAL: '500ms', SESSION_TIMEOUT: '6s', WORKER_NAME: 'first' },
  });
  plane = await startControlPlane([Tokens.generate('ann', 'operator')], { DATABRIDGE_KEYS: stage.keys });
});
afterAll(() => plane?.service.stop());

const events = (company: string, count: number) => Array.from({ length: count }, () => rootCauseEvent({ company }));
const statusOf = async (customer: string) => (await plane.call('GET', `/subscriptions/${customer}/status`)).body;

async function recordOf(customer: string): Promise<WorkerStatus | undefined> {
  let found: WorkerStatus | undefined;
  await readTopic(stage.operations.kafka, STATUS_TOPIC, {
    onBatch({ records }) {
      for (const { key, value } of records) {
        if (key?.toString() === customer && value !== null) found = decodeStatus(value);
      }
    },
  });
  return found;
}

test('after deliveries, status names the worker, the last success, and offsets that are current', async () => {
  const customer = freshName('told');
  const receiver = await Receiver.start();
  await stage.subscribe(customer, receiver.url);
  // Before the first delivery, too.
  await eventually(
    () => statusOf(customer),
    (status) => status.runBy === 'first',
  );
  await stage.upstream.produce(events(customer, 14));
  await receiver.waitFor(({ accepted }) => accepted === 14);
  const status = await eventually(
    () => statusOf(customer),
    ({ attempts, worker }) => attempts.delivered === 14 && worker?.committed?.[0]?.offset === 14,
  );
  expect(status).toMatchObject({ state: 'active', runBy: 'first', lagByLane: { main: 0 } });
  expect(status.worker).toMatchObject({ breaker: 'closed', worker: 'first', lastSuccessAtMs: expect.any(Number) });
});

test('a hold ends in the status with the change that mends it, though nothing is delivered since', async () => {
  const customer = freshName('mended');
  const receiver = await Receiver.start(() => ({ status: 401 }));
  const authentication = { type: 'api-key', name: 'x-key' };
  await stage.subscribe(customer, receiver.url, { authentication: { ...authentication, key: 'wrong' } });
  await stage.upstream.produce(events(customer, 1));
  await eventually(
    () => statusOf(customer),
    ({ worker }) => worker?.held?.because === 'deauthorized',
  );
  // The customer is stopped while it is held, and its key is mended: no worker writes anything of it.
  await (await stage.api()).act(customer, 'pause');
  await stage.subscribe(customer, receiver.url, {
    state: 'paused',
    authentication: { ...authentication, key: 'right' },
  });
  expect((await recordOf(customer))?.held).toBeDefined();
  expect((await statusOf(customer)).worker.held).toBeUndefined();
});

test('lists and status agree on a customer that its worker disabled', async () => {
  const customer = freshName('gone');
  const receiver = await Receiver.start(() => ({ status: 410 }));
  await stage.subscribe(customer, receiver.url);
  await stage.upstream.produce(events(customer, 1));
  await eventually(
    () => statusOf(customer),
    ({ state }) => state === 'disabled',
  );
  const { body } = await plane.call('GET', '/subscriptions?limit=1000');
  const listed = (body.items as { customer: string; state: string; effectiveState: string }[]).find(
    (one) => one.customer === customer,
  );
  expect(listed).toMatchObject({ state: 'active', effectiveState: 'disabled' });
});

test('a worker that is killed is named dead, and so are the customers that nobody runs', async () => {
  const customer = freshName('alone');
  const receiver = await Receiver.start();
  await stage.subscribe(customer, receiver.url);
  await eventually(
    () => statusOf(customer),
    (status) => status.runBy === 'first',
  );
  await stage.delivery.kill();
  const workers = () => plane.call('GET', '/workers');
  const { body } = await eventually(workers, (answer) => answer.body.unattended.includes(customer), 60_000);
  expect(body.items).toContainEqual(expect.objectContaining({ worker: 'first', isAlive: false }));
  expect(await statusOf(customer)).not.toHaveProperty('runBy');

  // The next worker runs it; one that stops says goodbye.
  const next = await stage.restartDelivery({ WORKER_NAME: 'second' });
  await eventually(
    () => statusOf(customer),
    (status) => status.runBy === 'second',
    60_000,
  );
  expect(await next.stop()).toBe(0);
  await eventually(workers, (answer) =>
    answer.body.items.every(({ worker }: { worker: string }) => worker !== 'second'),
  );
});
