/** Operators and customers are told what changed about deliveries, once, by the service's own way of delivering. */
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { NOTICES_TOPIC } from '@databridge/schemas/records/topics';
import { rootCauseEvent } from '../harness/events.ts';
import { Receiver } from '../harness/receiver.ts';
import { type ControlPlane, startControlPlane } from '../harness/services/control-plane.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

let stage: Stage;
let plane: ControlPlane;
const operator = Tokens.generate('ann', 'operator');

const startPlane = () =>
  startControlPlane([operator], {
    DATABRIDGE_KEYS: stage.keys,
    EVENT_TYPES: `root-cause=${stage.upstream.topic},notice=${NOTICES_TOPIC}`,
    NOTICES_INTERVAL: '500ms',
    SESSION_TIMEOUT: '6s',
  });

beforeAll(async () => {
  stage = await Stage.start({ alsoEventTypes: [`notice=${NOTICES_TOPIC}`], delivery: { STATUS_INTERVAL: '500ms' } });
  plane = await startPlane();
});
afterAll(() => plane?.service.stop());

const noticesOf = ({ requests }: Receiver) =>
  requests.map(({ body }) => JSON.parse(body) as Record<string, unknown>).filter(({ kind }) => kind === 'held');

test('a hold is told to the customer and to operators, and its end too; a new writer repeats nothing', async () => {
  const customer = freshName('told');
  const ownReceiver = await Receiver.start();
  const operators = await Receiver.start();
  let isKnown = false;
  const endpoint = await Receiver.start(() => ({ status: isKnown ? 200 : 401, body: 'the transcript: a secret' }));
  await stage.subscribe(customer, endpoint.url);
  await stage.subscribe(`${customer}-notices`, ownReceiver.url, {
    eventTypes: ['notice'],
    match: { company: [customer] },
  });
  await stage.subscribe(freshName('operators'), operators.url, {
    eventTypes: ['notice'],
    match: { company: ['operators'] },
  });

  await stage.upstream.produce([rootCauseEvent({ company: customer })]);
  await ownReceiver.waitFor((receiver) => noticesOf(receiver).length === 1);
  await operators.waitFor((receiver) => noticesOf(receiver).length === 1);
  expect(noticesOf(ownReceiver)[0]).toMatchObject({
    ...{
      schema_version: 'v1.0',
      noticeid: `${customer}/held`,
      company: customer,
      state: 'raised',
      severity: 'warning',
    },
    since: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    text: expect.stringContaining('the endpoint does not accept the authentication'),
  });
  expect(noticesOf(operators)[0]).toMatchObject({ company: 'operators', customers: [customer] });
  expect(ownReceiver.requests[0]?.headers['databridge-event-type']).toBe('notice');

  // The next writer finds the same condition, and knows that it was told.
  await plane.service.kill();
  plane = await startPlane();
  await plane.service.waitForLog((line) => line.msg === 'control plane became the writer');
  isKnown = true;
  await ownReceiver.waitFor((receiver) => noticesOf(receiver).length === 2);
  await operators.waitFor((receiver) => noticesOf(receiver).length === 2);
  const states = [ownReceiver, operators].map((receiver) => noticesOf(receiver).map(({ state }) => state));
  expect(states).toEqual([
    ['raised', 'resolved'],
    ['raised', 'resolved'],
  ]);
  expect([...ownReceiver.requests, ...operators.requests].map(({ body }) => body).join()).not.toContain('transcript');
});
