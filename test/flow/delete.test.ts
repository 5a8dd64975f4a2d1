/** Deleting a customer, and the log of who changed what: by the API, with real deliveries. */

import { groupEmpty } from '@databridge/control-plane/operations/group-empty';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { deadTopic, deliveryGroup, deliveryTopic } from '@databridge/schemas/records/topics';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { Receiver } from '../harness/receiver.ts';
import { type ControlPlane, startControlPlane } from '../harness/services/control-plane.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

const CANARY = 'canary-51c7ae';
const operator = Tokens.generate('ann', 'operator');
const tenant = Tokens.generate('acme-ci', 'customer', 'acme');
let stage: Stage;
let plane: ControlPlane;

beforeAll(async () => {
  stage = await Stage.start();
  plane = await startControlPlane([operator, tenant], { DATABRIDGE_KEYS: stage.keys });
});

const bodyFor = (customer: string, url: string) => ({
  eventTypes: ['root-cause'],
  match: { company: [customer] },
  destination: { type: 'http', url },
  authentication: { type: 'api-key', name: 'x-key', key: CANARY },
});

async function create(customer: string, url: string): Promise<string> {
  const { status, headers } = await plane.call('PUT', `/subscriptions/${customer}`, { body: bodyFor(customer, url) });
  expect(status).toBe(201);
  await stage.fanOutKnowsAll();
  return headers.get('etag') ?? '';
}

const etagOf = async (customer: string) =>
  (await plane.call('GET', `/subscriptions/${customer}`)).headers.get('etag') ?? '';
const remove = async (customer: string, how = '') =>
  await plane.call('DELETE', `/subscriptions/${customer}${how}`, { headers: { 'if-match': await etagOf(customer) } });
const produce = (customer: string, count: number) =>
  stage.upstream.produce(Array.from({ length: count }, () => rootCauseEvent({ company: customer })));

test('what waits is neither lost nor kept by accident: who deletes says which; kept, it goes on where it was', async () => {
  const customer = freshName('kept');
  const path = `/subscriptions/${customer}`;
  const receiver = await Receiver.start((_request, nth) => ({ status: nth === 1 ? 400 : 200 }));
  const etag = await create(customer, receiver.url);
  await produce(customer, 1);
  await eventually(
    async () => (await plane.call('GET', `${path}/dead-letters`)).body.items.length,
    (count) => count === 1,
  );
  await plane.call('POST', `${path}/pause`);
  await groupEmpty(stage.admin, customer, 60_000);
  await produce(customer, 2);
  await eventually(
    () => stage.lag(customer, deliveryTopic(customer)),
    (lag) => lag === 2,
  );

  expect((await plane.call('DELETE', path)).status).toBe(428);
  expect((await plane.call('DELETE', path, { headers: { 'if-match': etag } })).status).toBe(412);
  const refused = await remove(customer);
  expect(refused).toMatchObject({ status: 409, body: { code: 'DB_CONFLICT', waiting: { events: 2, deadLetters: 1 } } });
  expect((await plane.call('GET', `${path}/status`)).body.state).toBe('paused');

  const kept = await remove(customer, '?waiting=keep');
  expect(kept.body).toEqual({ customer, waiting: { events: 2, deadLetters: 1 }, topics: 'kept' });
  expect((await plane.call('GET', path)).status).toBe(404);
  receiver.script = () => ({ status: 200 });
  await create(customer, receiver.url);
  await receiver.waitFor(({ accepted }) => accepted === 2);
  expect((await plane.call('GET', `${path}/dead-letters`)).body.items).toHaveLength(1);
});

test('discarded, nothing of it is left, and nobody else is held up', async () => {
  const [customer, other] = [freshName('gone'), freshName('stays')];
  const [receiver, others] = await Promise.all([Receiver.start(() => ({ status: 503 })), Receiver.start()]);
  await create(customer, receiver.url);
  await create(other, others.url);
  await produce(customer, 1);
  await receiver.waitFor(({ requests }) => requests.length === 1);
  const gone = await remove(customer, '?waiting=discard');
  expect(gone).toMatchObject({ status: 200, body: { topics: 'removed' } });
  const left = (await stage.admin.listTopics()).filter((topic) => topic.startsWith(deliveryTopic(customer)));
  expect(left).toEqual([]);
  expect(left).not.toContain(deadTopic(customer));
  expect((await stage.admin.groupState(deliveryGroup(customer))).state).toBe('Dead');
  await produce(customer, 1);
  await produce(other, 1);
  await others.waitFor(({ accepted }) => accepted === 1);
  // A customer for whom nothing waits goes without a word more.
  await eventually(
    () => stage.lag(other, deliveryTopic(other)),
    (lag) => lag === 0,
  );
  expect((await remove(other)).body).toEqual({
    customer: other,
    waiting: { events: 0, deadLetters: 0 },
    topics: 'removed',
  });
});

test('the author of each change is listed, page by page, without secrets', async () => {
  const customer = freshName('audited');
  const path = `/subscriptions/${customer}`;
  const etag = await create(customer, 'http://127.0.0.1:18080/');
  const changed = { ...bodyFor(customer, 'http://127.0.0.1:18080/'), ratePerSecond: 3 };
  changed.authentication.key = `${CANARY}-2`;
  await plane.call('PUT', path, { body: changed, headers: { 'if-match': etag } });
  await plane.call('POST', `${path}/pause`);
  await plane.call('POST', `${path}/rewinds`, { body: { to: 'earliest' } });
  expect((await plane.call('GET', '/audit', { token: tenant.token })).status).toBe(403);

  const first = (await plane.call('GET', `/audit?customer=${customer}&limit=3`)).body;
  expect(first.items.map(({ what }: { what: string }) => what)).toEqual(['rewind', 'pause', 'replace']);
  expect(first.items[0]).toMatchObject({ who: { name: 'ann', role: 'operator' }, detail: { to: 'earliest' } });
  expect(first.items[1]).toMatchObject({ before: { state: 'active' }, after: { state: 'paused' } });
  expect(first.items[2]).toMatchObject({ after: { ratePerSecond: 3 }, secrets: ['authentication.key'] });
  const rest = (await plane.call('GET', `/audit?customer=${customer}&limit=3&cursor=${first.next}`)).body;
  expect(rest.items.map(({ what }: { what: string }) => what)).toEqual(['create']);
  expect(rest.next).toBeUndefined();
  expect(JSON.stringify([first, rest])).not.toContain(CANARY);
});
