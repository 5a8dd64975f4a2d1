/** Operators and customers are notified of changes that concern deliveries, once, by the service's own way of delivering. */
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { NOTICES_TOPIC } from '@databridge/schemas/records/topics';
import { rootCauseEvent } from '../harness/events.ts';
import { Receiver } from '../harness/receiver.ts';
import { MAIL_LOGIN, startMailServer } from '../harness/servers/mail-server.ts';
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

test('a hold is announced to the customer and to operators, and its end too; a new writer repeats nothing', async () => {
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

test('a notice goes by mail, is retried from a retry lane as events are, and its end is in the same thread', async () => {
  const customer = freshName('mailed');
  // The first try finds the mail server busy.
  const mailServer = await startMailServer((nth) => (nth === 1 ? 451 : 250));
  let isKnown = false;
  const endpoint = await Receiver.start(() => ({ status: isKnown ? 200 : 401 }));
  await stage.subscribe(customer, endpoint.url);
  await (await stage.api()).put(`${customer}-mail`, {
    ...{ eventTypes: ['notice'], match: { company: [customer] }, tls: { ca: mailServer.ca } },
    destination: {
      ...{ type: 'email', host: '127.0.0.1', port: mailServer.port },
      ...{ from: 'databridge@example.com', to: ['ops@example.com', 'chief@example.com'] },
    },
    authentication: { type: 'basic', ...MAIL_LOGIN },
  });
  await stage.fanOutKnowsAll();

  await stage.upstream.produce([rootCauseEvent({ company: customer })]);
  await mailServer.waitFor(({ length }) => length === 2);
  isKnown = true;
  await mailServer.waitFor(({ length }) => length === 3);
  const [busy, raised, resolved] = mailServer.mails;
  expect(busy).toMatchObject({ status: 451, messageId: raised?.messageId, body: raised?.body });
  expect(raised).toMatchObject({
    ...{ status: 250, isEncrypted: true, user: MAIL_LOGIN.username, to: ['ops@example.com', 'chief@example.com'] },
    subject: expect.stringContaining(`[warning] Deliveries to '${customer}' are held`),
    body: expect.stringContaining(`noticeid: ${customer}/held`),
  });
  expect(resolved?.subject).toBe(`[resolved] Resolved for '${customer}'.`);
  expect(resolved?.messageId).not.toBe(raised?.messageId);
  expect(resolved?.references).toMatch(/^<.+@example\.com>$/);
  expect(resolved?.references).toBe(raised?.references);
  const attempts = stage.delivery.logs.filter(
    (line) => line['customer'] === `${customer}-mail` && line.msg === 'attempt',
  );
  expect(attempts.map(({ outcome, lane }) => [outcome, lane])).toContainEqual(['retry', 'main']);
});
