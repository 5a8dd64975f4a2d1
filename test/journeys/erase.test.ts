/** What is erased is neither sent nor shown again, by whatever way; the books still balance. */

import { runProgram } from '@databridge/cli/program';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import {
  ATTEMPTS_TOPIC,
  deadTopic,
  ERASED_TOPIC,
  OPERATIONS_TOPIC,
  QUARANTINE_TOPIC,
} from '@databridge/schemas/records/topics';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { Receiver } from '../harness/receiver.ts';
import { type ControlPlane, startControlPlane } from '../harness/services/control-plane.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

const operator = Tokens.generate('ann', 'operator');
let stage: Stage;
let plane: ControlPlane;

beforeAll(async () => {
  // So many attempts that nothing is given up meanwhile.
  stage = await Stage.start({ delivery: { RETRY_PLAN: '1s*1000' } });
  plane = await startControlPlane([operator], {
    DATABRIDGE_KEYS: stage.keys,
    EVENT_TYPES: `root-cause=${stage.upstream.topic}`,
    RETRY_PLAN: '1s*1000',
  });
});
afterAll(() => plane?.service.stop());

async function databridge(...args: string[]): Promise<string> {
  const out: string[] = [];
  const spy = jest.spyOn(process.stdout, 'write').mockImplementation((chunk) => out.push(String(chunk)) > 0);
  try {
    const env = { DATABRIDGE_URL: plane.url.replace(/\/v1$/, ''), DATABRIDGE_TOKEN: operator.token };
    expect(await runProgram(args, env)).toBe(0);
    return out.join('');
  } finally {
    spy.mockRestore();
  }
}

const get = async (path: string) => (await plane.call('GET', path)).body;

test('an erased call is not sent by retry, rewind, redrive or redelivery, is shown nowhere, and is counted as erased', async () => {
  const company = freshName('erased');
  const [open, refusing, failing] = [`${company}-open`, `${company}-refuses`, `${company}-fails`] as const;
  let status = 503;
  const receivers = {
    open: await Receiver.start(),
    refusing: await Receiver.start(() => ({ status: status === 503 ? 400 : 200 })),
    failing: await Receiver.start(() => ({ status, body: 'it quotes the call' })),
  };
  const match = { match: { company: [company] } };
  await stage.subscribe(open, receivers.open.url, match);
  await stage.subscribe(refusing, receivers.refusing.url, match);
  await stage.subscribe(failing, receivers.failing.url, match);

  const [erased, other] = [rootCauseEvent({ company }), rootCauseEvent({ company })];
  const requestId = erased.summary.requestid;
  const { upstream } = stage;
  await upstream.produce([erased], { 'event-id': `${company}-erased` });
  await upstream.produce([other], { 'event-id': `${company}-other` });
  // In quarantine nobody can decode it: the bytes tell.
  const damaged = Buffer.concat([await upstream.encode(erased), Buffer.from('x')]);
  await upstream.produceRaw([{ key: 'damaged', value: damaged }]);
  for (const receiver of Object.values(receivers)) {
    await receiver.waitFor(({ timesById }) => timesById.size === 2);
  }
  await eventually(
    () => stage.read(deadTopic(refusing)),
    (letters) => letters.length === 2,
  );
  await eventually(
    () => get('/quarantine'),
    ({ items }) => items.length === 1,
  );
  await eventually(
    () => get(`/subscriptions/${failing}/attempts`),
    ({ items }) => items.length >= 2,
  );
  const place = (await get(`/subscriptions/${open}/events/${company}-erased`)).source;

  expect(await databridge('erase', '--request-id', requestId, '--dry-run')).toMatch(
    new RegExp(`^Would erase 2 events in \\d+ records of ${failing}, ${open}, ${refusing}\\.`),
  );
  const receipt = JSON.parse(await databridge('erase', '--request-id', requestId, '--yes', '-o', 'json'));
  expect(receipt).toMatchObject({ events: 2, customers: [failing, open, refusing], deadLetters: 1, quarantined: 1 });
  // The intake belongs to its producers. Everywhere else the bytes are gone.
  expect(receipt.remainders).toEqual([
    {
      ...{ topic: upstream.topic, copies: 2, deletedByMs: expect.any(Number), because: 'intake' },
      places: [expect.stringMatching(/^\d+\/\d+$/), expect.stringMatching(/^\d+\/\d+$/)],
    },
  ]);
  expect(receipt.remainders[0].deletedByMs).toBeGreaterThan(Date.now());
  const ours = (await stage.admin.listTopics()).filter(
    (topic) => topic.startsWith(`delivery.${company}`) || topic === QUARANTINE_TOPIC,
  );
  expect(ours).toEqual(
    expect.arrayContaining([`delivery.${open}`, `delivery.${failing}.retry.1s`, deadTopic(refusing)]),
  );
  for (const topic of ours) {
    for (const { value } of await stage.read(topic)) expect(value?.includes(requestId) ?? false).toBe(false);
    const { 'segment.ms': segmentMs, 'cleanup.policy': policy } =
      (await stage.admin.topicSettings([topic])).get(topic) ?? {};
    expect([topic, segmentMs, policy]).toEqual([
      topic,
      undefined,
      topic === QUARANTINE_TOPIC || topic.endsWith('.dead') ? 'compact,delete' : 'delete',
    ]);
  }

  // Attempts name the event, and may quote it.
  for (const { value } of await stage.read(ATTEMPTS_TOPIC)) {
    expect(value?.includes(`"${company}-erased"`) ?? false).toBe(false);
  }

  // What was on its way is not sent again: the other one, which was behind it in the same lane, is.
  const seenBefore = receivers.failing.requestsFor(`${company}-erased`).length;
  const othersBefore = receivers.failing.requestsFor(`${company}-other`).length;
  await receivers.failing.waitFor((one) => one.requestsFor(`${company}-other`).length >= othersBefore + 3);
  expect(receivers.failing.requestsFor(`${company}-erased`).length - seenBefore).toBeLessThanOrEqual(1);
  status = 200;
  await receivers.failing.waitFor(({ requests }) => requests.some((one) => one.status === 200));

  expect((await plane.call('POST', `/subscriptions/${refusing}/dead-letters/redrives`, { body: {} })).body).toEqual({
    taken: 1,
    stayed: 0,
  });
  await receivers.refusing.waitFor(({ requests }) => requests.length === 3);
  await plane.call('POST', `/subscriptions/${open}/rewinds`, { body: { to: 'earliest' } });
  await receivers.open.waitFor(({ requests }) => requests.length === 3);
  const redelivery = await plane.call('POST', `/subscriptions/${open}/redeliveries`, {
    body: { from: new Date(0).toISOString() },
  });
  expect(redelivery.body).toMatchObject({ events: 1 });
  await receivers.open.waitFor(({ requests }) => requests.length === 4);
  const again = await plane.call('POST', `/subscriptions/${open}/redeliveries`, {
    body: { eventId: `${company}-erased` },
  });
  expect(again.status).toBe(404);
  for (const receiver of [receivers.open, receivers.refusing]) {
    expect(receiver.requestsFor(`${company}-erased`)).toHaveLength(1);
  }

  for (const customer of [open, refusing, failing]) {
    const shown = JSON.stringify([
      await get(`/subscriptions/${customer}/attempts`),
      await get(`/subscriptions/${customer}/events`),
      await get(`/subscriptions/${customer}/dead-letters`),
      await get(`/subscriptions/${customer}/explanation`),
    ]);
    expect(shown).not.toContain(`${company}-erased`);
    expect((await plane.call('GET', `/subscriptions/${customer}/events/${company}-erased`)).status).toBe(404);
    const books = await eventually(
      () => get(`/subscriptions/${customer}/reconciliation`),
      ({ delivered }) => delivered === 1,
    );
    expect(books).toMatchObject({ written: 2, delivered: 1, erased: 1, unaccounted: [] });
  }
  expect((await get(`/events/${company}-erased`)).items).toEqual([]);
  for (const id of [`${company}-erased`, place]) {
    expect((await plane.call('GET', `/events/${encodeURIComponent(id)}/explanation`)).status).toBe(404);
  }
  expect((await get('/quarantine')).items).toEqual([]);

  // A worker that starts anew knows it before it sends anything.
  await stage.delivery.kill();
  await stage.restartDelivery();
  await plane.call('POST', `/subscriptions/${open}/rewinds`, { body: { to: 'earliest' } });
  await receivers.open.waitFor(({ requests }) => requests.length >= 5);
  expect(receivers.open.requestsFor(`${company}-erased`)).toHaveLength(1);

  // What is kept of it are digests.
  const { items } = await get('/audit');
  const kept = items.filter(({ what }: { what: string }) => what === 'erase' || what === 'erased');
  expect(kept.map(({ detail }: { detail: object }) => detail)).toEqual([receipt, { request: receipt.request }]);
  const records = [...(await stage.read(ERASED_TOPIC)), ...(await stage.read(OPERATIONS_TOPIC)).slice(-1)];
  expect(records.map(({ key, value }) => `${key} ${value}`).join()).not.toContain(requestId);
  expect((await stage.read(QUARANTINE_TOPIC)).at(-1)?.value).toBeNull();
});

test('an unknown request id is refused, and so is one that is too short', async () => {
  const unknown = await plane.call('POST', '/erasures', { body: { requestId: crypto.randomUUID() } });
  expect(unknown.status).toBe(404);
  expect((await plane.call('POST', '/erasures', { body: { requestId: 'short' } })).status).toBe(422);
});
