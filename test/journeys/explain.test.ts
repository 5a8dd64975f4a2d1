/** Why nothing is sent to a customer and what comes next; what became of events; what destinations must let in. */
import { runProgram } from '@databridge/cli/program';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { Receiver } from '../harness/receiver.ts';
import { type ControlPlane, startControlPlane } from '../harness/services/control-plane.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

const operator = Tokens.generate('ann', 'operator');
const reader = Tokens.generate('bob', 'reader');
const acme = Tokens.generate('ci', 'customer', 'acme');
let stage: Stage;
let plane: ControlPlane;

beforeAll(async () => {
  const delivery = {
    STATUS_INTERVAL: '500ms',
    REPORT_INTERVAL: '500ms',
    WORKER_NAME: 'first',
    RETRY_PLAN: '1s*1,5m*20',
  };
  stage = await Stage.start({ delivery });
  plane = await startControlPlane([operator, reader, acme], {
    ...{ DATABRIDGE_KEYS: stage.keys, RETRY_PLAN: '1s*1,5m*20', EVENT_TYPES: `root-cause=${stage.upstream.topic}` },
    ...{ EGRESS_ADDRESSES: '198.51.100.7, 2001:db8::/48', AWS_PRINCIPAL: 'arn:aws:iam::123456789012:role/databridge' },
  });
});
afterAll(() => plane?.service.stop());

const explanationOf = async (path: string) => (await plane.call('GET', `${path}/explanation`)).body;

async function databridge(...args: string[]): Promise<{ code: number; out: string }> {
  const written: string[] = [];
  const spy = jest.spyOn(process.stdout, 'write').mockImplementation((chunk) => written.push(String(chunk)) > 0);
  try {
    const env = { DATABRIDGE_URL: plane.url.replace(/\/v1$/, ''), DATABRIDGE_TOKEN: operator.token };
    return { code: await runProgram(args, env), out: written.join('') };
  } finally {
    spy.mockRestore();
  }
}

test('a customer that is down, and an event that waits for it, explained to the next attempt', async () => {
  const [customer, other] = [freshName('down'), freshName('other')];
  const [receiver, elsewhere] = [await Receiver.start(() => ({ status: 503 })), await Receiver.start()];
  await stage.subscribe(customer, receiver.url);
  await stage.subscribe(other, elsewhere.url, { match: { company: [customer] }, filter: 'event.statusCode == 500' });
  await stage.upstream.produce([rootCauseEvent({ company: customer })], { 'event-id': 'evt_down_1' });
  // Both attempts of the first lane failed: the next is due in five minutes.
  await receiver.waitFor(({ requests }) => requests.length === 2);

  const found = await eventually(
    () => explanationOf(`/subscriptions/${customer}`),
    ({ nextAttempt, budget }) => nextAttempt?.lane === '5m' && budget?.attempts === 2,
  );
  expect(found.gate.map(({ because }: { because: string }) => because)).toEqual(['not_due']);
  expect(found).toMatchObject({ state: 'active', runBy: 'first', backlog: { byLane: { '5m': 1 } } });
  expect(found.nextAttempt).toMatchObject({ eventId: 'evt_down_1', attempt: 3 });
  const inMs = found.nextAttempt.atMs - Date.now();
  expect(inMs).toBeGreaterThan(120_000);
  expect(inMs).toBeLessThanOrEqual(301_000);
  // 20 attempts more, five minutes apart.
  expect(Math.abs(found.disabling.atMs - Date.now() - 100 * 60_000)).toBeLessThan(0.05 * 100 * 60_000);
  const shown = await databridge('explain', customer);
  expect(shown.code).toBe(0);
  expect(shown.out).toMatch(/gate +not_due: .*\n.*next attempt +at .* attempt 3 of evt_down_1, lane 5m/);
  expect(shown.out).toMatch(/budget .* of 24 h and 2 of 22 attempts used, by evt_down_1/);
  expect(shown.out).toMatch(/disabling +disabled in 1 h (3|4)\d min, at .* unless an attempt succeeds/);

  const event = await explanationOf('/events/evt_down_1');
  expect(event).toMatchObject({ eventId: 'evt_down_1', eventType: 'root-cause', fanOut: { state: 'routed' } });
  expect(event.matching).toContainEqual({ customer, matches: true, whyNot: [] });
  expect(event.matching).toContainEqual({
    ...{ customer: other, matches: false },
    whyNot: ['the filter excludes it: event.statusCode == 500'],
  });
  expect(event.deliveries).toMatchObject([{ customer, fate: 'waiting', lane: '5m', attempts: [{}, { status: 503 }] }]);
  const bySource = await databridge('explain', event.source);
  expect(bySource.out).toMatch(new RegExp(`${customer} \\(active\\): waiting in lane 5m at offset 0, due at `));
});

test('the explanation of a customer that waits for its own rate limit names it', async () => {
  const customer = freshName('limited');
  const receiver = await Receiver.start();
  await stage.subscribe(customer, receiver.url, { ratePerSecond: 1 });
  await stage.upstream.produce(Array.from({ length: 90 }, () => rootCauseEvent({ company: customer })));
  const found = await eventually(
    () => explanationOf(`/subscriptions/${customer}`),
    ({ gate }) => gate[0]?.because === 'rate',
  );
  expect(found).toMatchObject({ state: 'active', drain: { kind: expect.stringMatching(/drained|growing/) } });
  // Only of retry lanes must all be read.
  expect(found.isPartial).toBe(false);
  expect((await databridge('explain', customer)).out).toMatch(/gate +rate: .* limits deliveries to 1 per second/);
});

test('an event that nobody wants, found by its id in the intake, and one that there is not', async () => {
  const company = freshName('nobody');
  await stage.upstream.produce([rootCauseEvent({ company })], { 'event-id': `evt_${company}` });
  const event = await eventually(
    () => explanationOf(`/events/evt_${company}`),
    ({ fanOut }) => fanOut?.state === 'routed',
  );
  expect(event.deliveries).toEqual([]);
  expect(event.matching.map(({ whyNot }: { whyNot: string[] }) => whyNot[0])).toContainEqual(
    expect.stringMatching(/^match.company is ".*"; the event states another$/),
  );
  expect(JSON.stringify(event.matching)).not.toContain(company);
  expect(await plane.call('GET', '/events/evt_unknown/explanation')).toMatchObject({ status: 404 });
  expect((await plane.call('GET', '/events/other.topic%2F0%2F1/explanation')).body.detail).toMatch(
    /is not an intake topic/,
  );
});

test('a paused customer names the command that resumes it', async () => {
  const customer = freshName('paused');
  const receiver = await Receiver.start();
  await stage.subscribe(customer, receiver.url, { state: 'paused' });
  expect((await databridge('explain', customer)).out).toMatch(
    new RegExp(`paused: .*\\n.*cure +databridge resume ${customer}\n`),
  );
});

test('the addresses that destinations must allow are shown to every role, and to nobody else', async () => {
  const facts = {
    ...{
      egressAddresses: ['198.51.100.7', '2001:db8::/48'],
      awsPrincipal: 'arn:aws:iam::123456789012:role/databridge',
    },
    budget: { maxAttempts: 22, windowMs: 86_400_000 },
  };
  for (const { token } of [operator, reader, acme]) {
    expect(await plane.call('GET', '/facts', { token })).toMatchObject({ status: 200, body: facts });
  }
  expect((await plane.call('GET', '/facts', { token: 'none' })).status).toBe(401);
  const { code, out } = await databridge('facts');
  expect(code).toBe(0);
  expect(out).toContain('198.51.100.7, 2001:db8::/48');
  expect(out).toContain('22 times within 24 h');
});

test('deliveries are chosen by when they were last tried', async () => {
  const customer = freshName('range');
  const receiver = await Receiver.start();
  await stage.subscribe(customer, receiver.url);
  const times: string[] = [];
  for (const accepted of [1, 2]) {
    times.push(new Date().toISOString());
    await stage.upstream.produce([rootCauseEvent({ company: customer })], { 'event-id': `evt_range_${accepted}` });
    await receiver.waitFor((all) => all.accepted === accepted);
  }
  const [first = '', between = ''] = times;
  const events = async (query: string) => await plane.call('GET', `/subscriptions/${customer}/events${query}`);
  const idsAt = async (query: string) =>
    (await events(query)).body.items.map((one: { eventId: string }) => one.eventId);
  await eventually(
    () => idsAt(''),
    (ids) => ids.length === 2,
  );
  expect(await idsAt(`?from=${between}`)).toEqual(['evt_range_2']);
  expect(await idsAt(`?to=${between}&state=delivered`)).toEqual(['evt_range_1']);
  expect(await idsAt(`?from=${first}&to=${between}`)).toEqual(['evt_range_1']);
  expect(await events(`?from=${between}&to=${first}`)).toMatchObject({ status: 422 });
  const { out } = await databridge('events', 'list', customer, '--from', between, '--to', new Date().toISOString());
  expect(out).toMatch(/^evt_range_2 +delivered +1 /m);
  expect(out).not.toContain('evt_range_1');
});
