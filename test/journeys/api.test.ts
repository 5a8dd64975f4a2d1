/** The control plane's API as operators and customers use it: a real process, real Kafka, real deliveries. */
import { serverSentEvents } from '@databridge/cli/api/server-sent-events';
import { readTopic } from '@databridge/kernel/kafka/topic-reader';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { deliveryTopic, SUBSCRIPTIONS_TOPIC } from '@databridge/schemas/records/topics';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { Receiver } from '../harness/receiver.ts';
import { type ControlPlane, startControlPlane } from '../harness/services/control-plane.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

const CANARY = 'canary-6f1d0c';
const [operator, reader, acme] = [
  Tokens.generate('ann', 'operator'),
  Tokens.generate('bob', 'reader'),
  Tokens.generate('ci', 'customer', 'acme'),
];
let stage: Stage;
let plane: ControlPlane;

beforeAll(async () => {
  stage = await Stage.start();
  plane = await startControlPlane([operator, reader, acme], { DATABRIDGE_KEYS: stage.keys });
});

const call = (...asked: Parameters<ControlPlane['call']>) => plane.call(...asked);

const subscriptionTo = (customer: string, receiver: Receiver, key = CANARY) => ({
  eventTypes: ['root-cause'],
  match: { company: [customer] },
  destination: { type: 'http', url: receiver.url },
  authentication: { type: 'api-key', name: 'x-key', key },
});

test('a subscription is created, delivered to, replaced by who has seen it, and never shows its secret', async () => {
  const customer = freshName('api');
  const path = `/subscriptions/${customer}`;
  const receiver = await Receiver.start();
  expect((await call('GET', path)).status).toBe(404);
  const created = await call('PUT', path, { body: subscriptionTo(customer, receiver) });
  expect(created).toMatchObject({ status: 201, body: { customer, authentication: { key: '[secret]' } } });
  const etag = created.headers.get('etag') ?? '';
  expect((await call('GET', path)).headers.get('etag')).toBe(etag);

  const produced = async () => (await stage.upstream.produce([rootCauseEvent({ company: customer })])).length;
  await stage.fanOutKnowsAll();
  await produced();
  await receiver.waitFor(({ accepted }) => accepted === 1);
  expect(receiver.requests[0]?.headers['x-key']).toBe(CANARY);

  const changed = { ...subscriptionTo(customer, receiver, `${CANARY}-2`), ratePerSecond: 5 };
  expect((await call('PUT', path, { body: changed })).body).toMatchObject({ code: 'DB_PRECONDITION_REQUIRED' });
  const stale = await call('PUT', path, { body: changed, headers: { 'if-match': '"other"' } });
  expect(stale).toMatchObject({ status: 412, body: { code: 'DB_PRECONDITION_FAILED' } });
  const taken = stage.changeTaken(customer);
  const replaced = await call('PUT', path, { body: changed, headers: { 'if-match': etag } });
  expect(replaced).toMatchObject({ status: 200, body: { ratePerSecond: 5 } });
  expect((await call('PUT', path, { body: changed, headers: { 'if-match': etag } })).status).toBe(412);

  // Sent back as it was answered, the mask stands for the stored secret.
  const echoed = { ...changed, authentication: replaced.body.authentication };
  const kept = await call('PUT', path, { body: echoed, headers: { 'if-match': replaced.headers.get('etag') ?? '' } });
  expect(kept.status).toBe(200);
  expect(kept.headers.get('etag')).toBe(replaced.headers.get('etag'));
  // With another host, it would go to somebody else.
  const elsewhere = { ...echoed, destination: { type: 'http', url: receiver.url.replace('127.0.0.1', '127.0.0.2') } };
  const refused = await call('PUT', path, { body: elsewhere, headers: { 'if-match': kept.headers.get('etag') ?? '' } });
  expect(refused.body).toMatchObject({ status: 422, errors: [{ pointer: '/authentication/key' }] });

  await taken();
  await produced();
  await receiver.waitFor(({ accepted }) => accepted === 2);
  expect(receiver.requests[1]?.headers['x-key']).toBe(`${CANARY}-2`);
});

test('a warning comes with the saved subscription: its destination does not answer', async () => {
  const receiver = await Receiver.start();
  const path = `/subscriptions/${freshName('odd')}`;
  const body = subscriptionTo('odd', receiver);
  const created = await call('PUT', path, { body });
  expect(created).toMatchObject({ status: 201, body: { warnings: [] } });
  await receiver.stop();
  const headers = { 'if-match': created.headers.get('etag') ?? '' };
  const replaced = await call('PUT', path, { body: { ...body, ratePerSecond: 7 }, headers });
  expect(replaced).toMatchObject({ status: 200, body: { ratePerSecond: 7 } });
  expect(replaced.body.warnings).toEqual([
    { pointer: '/destination/url', detail: expect.stringMatching(/can't be reached from the control plane/) },
  ]);
  expect((await call('GET', path)).body).not.toHaveProperty('warnings');
});

test('of writers who all saw the same, one wins', async () => {
  const customer = freshName('race');
  const receiver = await Receiver.start();
  const path = `/subscriptions/${customer}`;
  const body = (ratePerSecond: number) => ({ ...subscriptionTo(customer, receiver), ratePerSecond });
  const etag = (await call('PUT', path, { body: body(1) })).headers.get('etag') ?? '';
  const answers = await Promise.all(
    [2, 3, 4, 5].map((rate) => call('PUT', path, { body: body(rate), headers: { 'if-match': etag } })),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412]);
  const winner = answers.find(({ status }) => status === 200)?.body.ratePerSecond;
  expect((await call('GET', path)).body.ratePerSecond).toBe(winner);
});

test('an unknown or unauthorized caller learns that and nothing else', async () => {
  const receiver = await Receiver.start();
  const [other] = [freshName('other')];
  await call('PUT', `/subscriptions/${other}`, { body: subscriptionTo(other, receiver) });
  await call('PUT', '/subscriptions/acme', { body: subscriptionTo('acme', receiver) });
  const statusOf = async (method: string, path: string, token: string, body?: unknown) =>
    (await call(method, path, { token, ...(body !== undefined && { body }) })).status;
  expect(await statusOf('GET', '/subscriptions', '')).toBe(401);
  expect(await statusOf('GET', '/subscriptions', 'wrong')).toBe(401);
  expect(await statusOf('GET', `/subscriptions/${other}`, reader.token)).toBe(200);
  expect(await statusOf('POST', `/subscriptions/${other}/pause`, reader.token)).toBe(403);
  expect(await statusOf('GET', `/subscriptions/${other}`, acme.token)).toBe(404);
  expect(await statusOf('POST', `/subscriptions/${other}/pause`, acme.token)).toBe(404);
  expect(await statusOf('POST', '/quarantine/redrives', acme.token, {})).toBe(403);
  const mine = await call('GET', '/subscriptions', { token: acme.token });
  expect(mine.body.items.map((one: { customer: string }) => one.customer)).toEqual(['acme']);
  expect(await statusOf('POST', '/subscriptions/acme/pause', acme.token)).toBe(200);
});

test('every mistake comes at once, by its place, and quotes no secret', async () => {
  const body = { eventTypes: [], destination: { type: 'http', url: 'ftp://x' }, signing: { secrets: [CANARY] } };
  const { status, headers, body: problem } = await call('PUT', '/subscriptions/wrong', { body });
  expect([status, headers.get('content-type')]).toEqual([422, expect.stringContaining('application/problem+json')]);
  const pointers = problem.errors.map(({ pointer }: { pointer: string }) => pointer);
  expect(pointers).toEqual(expect.arrayContaining(['/eventTypes', '/destination/url', '/signing/secrets/0']));
  expect(JSON.stringify(problem)).not.toContain(CANARY);
  const raw = await fetch(`${plane.url}/subscriptions/wrong`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${operator.token}`, 'content-type': 'application/json' },
    body: `{"key": "${CANARY}`,
  });
  expect(raw.status).toBe(400);
  expect(await raw.text()).not.toContain(CANARY);
});

test('state, rewind, redelivery, dead letters and books by the API; a POST that is sent again does nothing again', async () => {
  const customer = freshName('operated');
  const path = `/subscriptions/${customer}`;
  const receiver = await Receiver.start((_request, nth) => ({ status: nth === 1 ? 400 : 200 }));
  await stage.subscribe(customer, receiver.url);
  await stage.upstream.produce([rootCauseEvent({ company: customer }), rootCauseEvent({ company: customer })]);
  await receiver.waitFor(({ requests }) => requests.length === 2);
  const letters = async () => (await call('GET', `${path}/dead-letters?limit=1`)).body;
  const found = await eventually(letters, ({ next }) => next !== undefined);
  expect(found.items).toEqual([expect.objectContaining({ reason: 'refused', attempts: 1 })]);
  const rest = (await call('GET', `${path}/dead-letters?limit=1&cursor=${found.next}`)).body;
  expect([rest.items.length, rest.next]).toEqual([1, undefined]);

  const redrive = () =>
    call('POST', `${path}/dead-letters/redrives`, {
      body: { reasons: ['refused'] },
      headers: { 'idempotency-key': `redrive-${customer}` },
    });
  const first = await redrive();
  expect(first.body).toEqual({ taken: 2, stayed: 0 });
  const again = await redrive();
  expect(again.body).toEqual(first.body);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  await receiver.waitFor(({ accepted }) => accepted === 2);

  const redelivered = await call('POST', `${path}/redeliveries`, { body: { eventId: receiver.requests[0]?.id } });
  expect(redelivered.body).toMatchObject({ events: 1 });
  await receiver.waitFor(({ requests }) => requests.length >= 5);

  expect((await call('POST', `${path}/pause`)).body).toEqual({ customer, before: 'active', after: 'paused' });
  expect((await call('POST', `${path}/enable`)).status).toBe(409);
  const plan = await call('POST', `${path}/rewinds`, { body: { to: 'earliest', dryRun: true } });
  expect(plan.body).toMatchObject({ again: expect.any(Number), skipped: 0 });
  expect((await call('POST', `${path}/rewinds`, { body: { to: { offset: 9_999 } } })).status).toBe(422);
  expect((await call('POST', `${path}/resume`)).body).toMatchObject({ after: 'active' });
  expect((await call('GET', `${path}/status`)).body).toMatchObject({ customer, state: 'active' });
  // The worker tells a little later what was accepted.
  const books = async () => (await call('GET', `${path}/reconciliation`)).body;
  const settled = await eventually(books, ({ delivered }) => delivered === 2);
  expect(settled).toMatchObject({ written: 2, unaccounted: [] });
});

/** Opens a stream of attempts. @param path left out: of all that the token may see @returns takes so many of them */
async function liveAttempts(token: string, path = '/attempts', last?: string) {
  const { body, headers } = await fetch(`${plane.url}${path}/live`, {
    headers: { authorization: `Bearer ${token}`, ...(last !== undefined && { 'last-event-id': last }) },
  });
  expect(headers.get('content-type')).toBe('text/event-stream');
  if (body === null) throw new Error('no stream');
  return async (count: number) => {
    const seen: { id: string; customer: string; outcome: string }[] = [];
    for await (const { data } of serverSentEvents(body)) if (seen.push(JSON.parse(data)) === count) break;
    return seen;
  };
}

test('a dead letter is looked at from the inside', async () => {
  const customer = freshName('inside');
  const path = `/subscriptions/${customer}/dead-letters`;
  const receiver = await Receiver.start(() => ({ status: 422, body: 'no such call' }));
  await stage.subscribe(customer, receiver.url);
  await stage.upstream.produce([rootCauseEvent({ company: customer, folder: 'Inside' })]);
  const list = async () => (await call('GET', path)).body.items;
  const [letter] = await eventually(list, ({ length }) => length === 1);
  const inside = await call('GET', `${path}/${encodeURIComponent(letter.id)}`);
  expect(inside.body).toMatchObject({
    ...letter,
    headers: { 'event-id': letter.eventId, 'dead-letter-reason': 'refused' },
    event: { schema_version: 'v1.0', summary: { folder: 'Inside', company: customer } },
  });
  expect((await call('GET', `${path}/evt_other`)).status).toBe(404);
});

test('a test event is sent once, its answer is shown, and nothing else is affected', async () => {
  const customer = freshName('tried');
  const path = `/subscriptions/${customer}`;
  const receiver = await Receiver.start(() => ({ status: 200, body: 'welcome' }));
  await stage.subscribe(customer, receiver.url, {
    authentication: { type: 'api-key', name: 'x-key', key: CANARY },
    sections: ['summary'],
  });
  const fine = await call('POST', `${path}/test`, { body: {} });
  expect(fine.body).toMatchObject({ outcome: 'delivered', status: 200, answer: 'welcome', eventType: 'root-cause' });
  expect(receiver.requests[0]).toMatchObject({ id: fine.body.eventId, headers: { 'databridge-attempt': '1' } });
  const sample = JSON.parse(receiver.requests[0]?.body.toString() ?? '');
  expect(sample).toMatchObject({ schema_version: 'v1.0', summary: { company: 'sample company' } });
  expect(sample).not.toHaveProperty('intent');

  receiver.script = () => ({ status: 503, body: `down, ${CANARY}` });
  const down = await call('POST', `${path}/test`);
  expect(down.body).toMatchObject({ outcome: 'retry', status: 503, answer: 'down, [secret]' });
  // Had it gone to a retry lane, or the breaker minded, this would not be the third request at once.
  receiver.script = () => ({ status: 200 });
  await stage.upstream.produce([rootCauseEvent({ company: customer })]);
  await receiver.waitFor(({ requests }) => requests.length === 3);
  const books = async () => (await call('GET', `${path}/reconciliation`)).body;
  expect(await eventually(books, ({ delivered }) => delivered === 1)).toMatchObject({
    written: 1,
    waiting: 0,
    dead: 0,
  });
  expect((await call('GET', `${path}/status`)).body.attempts).toEqual({ delivered: 1 });
  await eventually(
    () => stage.lag(customer, deliveryTopic(customer)),
    (lag) => lag === 0,
  );
  // A rewind brings the event again, and no test: its time is over, or nearly so; both times it counts for nothing.
  expect((await call('POST', `${path}/rewinds`, { body: { to: 'earliest', dryRun: true } })).body.again).toBe(1);

  expect((await call('POST', `${path}/test`, { body: { eventType: 'other' } })).status).toBe(422);
  await call('POST', `${path}/pause`);
  // Nobody runs it now: the worker that owns it sends the test all the same.
  const paused = await call('POST', `${path}/test`);
  expect(paused).toMatchObject({ status: 200, body: { outcome: 'delivered', status: 200 } });
});

test('attempts are found by outcome and event, page by page, and seen live', async () => {
  const customer = freshName('attempts');
  const receiver = await Receiver.start((_request, nth) => ({ status: nth === 1 ? 503 : 200 }));
  await stage.subscribe(customer, receiver.url);
  const path = `/subscriptions/${customer}/attempts`;
  await stage.subscribe('acme', receiver.url, { state: 'active', match: { company: ['acme'] } });
  const [everybodys, acmes] = await Promise.all([operator, acme].map(({ token }) => liveAttempts(token)));
  const live = await liveAttempts(operator.token, path);
  await stage.upstream.produce([rootCauseEvent({ company: customer })]);
  const outcomes = (await live(2)).map(({ outcome }) => outcome);
  expect(outcomes).toEqual(['retry', 'delivered']);
  await stage.upstream.produce([rootCauseEvent({ company: 'acme' })]);
  expect((await everybodys?.(3))?.map((one) => one.customer)).toEqual([customer, customer, 'acme']);
  // Of the others' attempts before it, nothing.
  expect((await acmes?.(1))?.map((one) => one.customer)).toEqual(['acme']);

  const [delivered] = (await call('GET', `${path}?outcome=delivered`)).body.items;
  const [retried] = (await call('GET', `${path}?outcome=retry`)).body.items;
  // Whoever comes back with the id of the last one gets those after it.
  const missed = await liveAttempts(operator.token, path, retried.id);
  expect((await missed(1)).map(({ id, outcome }) => [id, outcome])).toEqual([[delivered.id, 'delivered']]);
  expect(delivered).toMatchObject({ attempt: 2, status: 200, lane: '1s' });
  const first = (await call('GET', `${path}?eventId=${delivered.eventId}&limit=1`)).body;
  expect(first.items).toEqual([delivered]);
  const second = (await call('GET', `${path}?eventId=${delivered.eventId}&limit=1&cursor=${first.next}`)).body;
  expect(second).toMatchObject({ items: [{ attempt: 1, outcome: 'retry' }] });
  expect(second.next).toBeUndefined();
  expect((await call('GET', `${path}?from=2100-01-01T00:00:00Z`)).body.items).toEqual([]);
});

test('a body may say the state; what a PUT would do can be asked, secrets included; nobody guesses them without the right', async () => {
  const customer = freshName('compared');
  const path = `/subscriptions/${customer}`;
  const receiver = await Receiver.start();
  const body = subscriptionTo(customer, receiver);
  const compared = async (given: object) => (await call('POST', `${path}/comparisons`, { body: given })).body;
  expect(await compared(body)).toEqual({ change: 'created', secrets: ['authentication.key'], uncertain: [] });
  const paused = await call('PUT', path, { body: { ...body, state: 'paused' } });
  expect(paused.body).toMatchObject({ state: 'paused', enableEpoch: 0 });
  expect(await compared(body)).toEqual({
    ...{ change: 'unchanged', secrets: [], uncertain: [] },
    ...{ stored: (await call('GET', path)).body, etag: paused.headers.get('etag') },
  });
  const other = { ...subscriptionTo(customer, receiver, `${CANARY}-2`), ratePerSecond: 3 };
  expect(await compared(other)).toMatchObject({ change: 'updated', secrets: ['authentication.key'], uncertain: [] });
  expect((await call('POST', `${path}/comparisons`, { body, token: reader.token })).status).toBe(403);
  const headers = { 'if-match': paused.headers.get('etag') ?? '' };
  const active = await call('PUT', path, { body: { ...body, state: 'active' }, headers });
  // To be made active is to be resumed: attempts are counted anew.
  expect(active.body).toMatchObject({ state: 'active', enableEpoch: 1 });

  const statuses = (await call('GET', '/status?limit=1')).body;
  expect([statuses.items.length, typeof statuses.next]).toEqual([1, 'string']);
  const all = async (token: string) =>
    (await call('GET', '/status', { token })).body.items.map((one: { customer: string }) => one.customer);
  expect(await all(reader.token)).toContain(customer);
  expect(await all(acme.token)).not.toContain(customer);
});

test('a filter is tried as fan-out would ask it', async () => {
  const event = rootCauseEvent({ company: 'ACME' });
  const tried = async (filter: string) => {
    const { status, body } = await call('POST', '/filters/try', { body: { filter, event }, token: reader.token });
    return { status, ...body };
  };
  expect(await tried('event.summary.company == "ACME"')).toEqual({ status: 200, matches: true });
  expect(await tried('event.summary.company == "Other"')).toEqual({ status: 200, matches: false });
  expect(await tried('event.callback.processed')).toEqual({ status: 200, matches: false, lacks: 'callback' });
  const unclear = await tried('event.statusCode / 0 == 1');
  expect(unclear).toEqual({ status: 200, matches: true, error: 'division by zero' });
  expect(await tried('event.sumary.company == "ACME"')).toMatchObject({
    status: 422,
    errors: [{ pointer: '/filter', detail: expect.stringContaining('did you mean "summary"') }],
  });
});

test('only the sections that it asked for reach a customer', async () => {
  const customer = freshName('sections');
  const receiver = await Receiver.start();
  await stage.subscribe(customer, receiver.url, { sections: ['intent'] });
  await stage.upstream.produce([rootCauseEvent({ company: customer })]);
  await receiver.waitFor(({ accepted }) => accepted === 1);
  expect(Object.keys(JSON.parse(receiver.requests[0]?.body ?? ''))).toEqual(['schema_version', 'statusCode', 'intent']);
});

test('the document is OpenAPI 3.1, and names every route', async () => {
  const { body } = await call('GET', '/openapi.json', { token: '' });
  expect(body.openapi).toBe('3.1.0');
  expect(Object.keys(body.paths)).toEqual(
    expect.arrayContaining([
      '/v1/subscriptions',
      '/v1/subscriptions/{customer}',
      '/v1/subscriptions/{customer}/rewinds',
    ]),
  );
});

test('the secret is not in the log, the metrics or the topic', async () => {
  const stored: string[] = [];
  await readTopic(stage.operations.kafka, SUBSCRIPTIONS_TOPIC, {
    onBatch: ({ records }) => void stored.push(...records.map(({ value }) => String(value))),
  });
  expect(stored.length).toBeGreaterThan(0);
  const places = [stored, plane.service.logs, plane.service.otherOutput, stage.delivery.logs, stage.fanOut.logs];
  const text = JSON.stringify(places) + (await plane.service.metrics()) + (await stage.delivery.metrics());
  expect(text).not.toContain(CANARY);
  expect(text).not.toContain(operator.token);
});
