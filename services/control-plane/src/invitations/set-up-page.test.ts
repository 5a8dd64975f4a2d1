/** From an operator's request to a customer's answer, by the API and the listener of the page, on maps in the place of Kafka. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createLogger } from '@databridge/kernel/log';
import { generateKeySet, parseKeySet } from '@databridge/kernel/secrets/key-set';
import { Opener } from '@databridge/kernel/secrets/opener';
import { Sealer, type SealingKey } from '@databridge/kernel/secrets/sealer';
import { SealingDesk } from '@databridge/kernel/secrets/sealing-desk';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import type { Invitation } from '@databridge/schemas/records/invitations';
import {
  decodeSubscription,
  encodeSubscription,
  type Subscription,
} from '@databridge/schemas/subscription/subscription';
import { createApi } from '../api/api.ts';
import type { ControlPlaneConfig } from '../config.ts';
import type { ControlPlaneContext } from '../context.ts';
import type { Commit } from '../subscriptions/changes.ts';
import { SetUpPage } from './set-up-page.ts';

const fail = () => {
  throw new Error('there is no Kafka in this test');
};
const log = createLogger('control-plane', 'silent');
const keys = generateKeySet('k1');
const desk = new SealingDesk(parseKeySet(keys.controlPlane));
const operator = Tokens.generate('ann', 'operator');
const stored = new Map<string, Subscription>();
const invitations = new Map<string, Invitation>();
const config = { INTAKE_PORT: 0, INTAKE_HOST: '127.0.0.1' } as ControlPlaneConfig;
const page = new SetUpPage(config, log);

const commit: Commit = async (changes) => {
  for (const change of changes) {
    if ('invitation' in change) invitations.set(change.invitation.id, change.invitation);
    if (!('what' in change) || change.customer === undefined || !change.after) continue;
    const read = decodeSubscription(change.customer, encodeSubscription(change.after));
    if (!read.ok) throw new Error(JSON.stringify(read.issues));
    stored.set(change.customer, read.subscription);
  }
};
const operations = {
  kafka: new Proxy({}, { get: fail }),
  admin: {
    listTopics: async () => [],
    ensureTopics: async () => ({ created: [], mismatched: [] }),
    topicSettings: async () => new Map(),
  },
  subscriptions: async () => new Map(stored),
  workerStatuses: async () => new Map(),
  workers: () => [],
  invitations: async () => new Map(invitations),
  retryDelays: [],
  eventTypes: ['root-cause'],
  egress: { urlRefusal: () => undefined, addressRefusal: () => undefined },
  ...{ commit, desk, log },
} as unknown as ControlPlaneContext;
const api = await createApi({
  operations,
  attempts: { find: () => [], events: () => [], listen: fail, since: fail },
  events: { render: async () => ({ unreadable: 'not here' }), open: async () => ({ unreadable: 'not here' }) },
  intake: { eventTypes: [], schemaIdOf: fail },
  callers: page.amongCallers(new Tokens(operator.line)),
  invitationLink: page.link,
  writer: {
    isOwner: true,
    origin: undefined,
    owner: async () => undefined,
    change: (_who, _customer, run) => run(commit),
  },
  log,
});

beforeAll(async () => {
  // As `npm run build` does.
  execFileSync(process.execPath, [fileURLToPath(new URL('../../../intake-page/build.ts', import.meta.url))]);
  await page.open(api, desk);
});
afterAll(async () => {
  await page.close();
  await api.close();
});

async function ask(method: 'GET' | 'POST' | 'PATCH', url: string, payload?: object) {
  const authorization = `Bearer ${operator.token}`;
  const etag = method === 'PATCH' ? (await api.inject({ url, headers: { authorization } })).headers.etag : undefined;
  const headers = {
    authorization,
    ...(etag !== undefined && { 'if-match': String(etag) }),
    ...(payload && { 'content-type': 'application/json' }),
  };
  const answer = await api.inject({ method, url, headers, ...(payload && { payload: JSON.stringify(payload) }) });
  return { status: answer.statusCode, body: answer.json() };
}

async function post(url: string, body: object, ticket = '') {
  const headers = { 'content-type': 'application/json', ...(ticket !== '' && { authorization: `Bearer ${ticket}` }) };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

test('a customer sets itself up by a link; it awaits approval, and an operator approves it', async () => {
  const setup = { eventTypes: ['root-cause'], match: { company: ['ACME'] } };
  const invited = await ask('POST', '/v1/invitations', { customer: 'acme', setup, hosts: ['*.acme.example'] });
  expect(invited).toMatchObject({ status: 201, body: { state: 'open', kind: 'setup' } });
  const { link, code } = invited.body as { link: string; code: string };
  const opened = await post(`${link}/open`, { code });
  expect(opened).toMatchObject({ status: 200, body: { by: 'ann', goesTo: ['*.acme.example'] } });
  const { ticket, key } = opened.body as { ticket: string; key: SealingKey };
  const at = { customer: 'acme', place: 'authentication.password' };
  const secrets = { [at.place]: await new Sealer(key).seal('s3cret', at) };
  const stated = (url: string) => ({
    secrets,
    setup: {
      destination: { type: 'http', url },
      authentication: { type: 'basic', username: 'u', password: '[secret]' },
    },
  });
  const elsewhere = await post(`${link}/answer`, stated('https://acme.example.attacker.test/'), ticket);
  expect(elsewhere).toMatchObject({ status: 422, body: { detail: expect.stringContaining('is not among those') } });
  // An ARN names a host, too: that of its service.
  const aws = { type: 'aws', roleArn: 'arn:aws:iam::123456789012:role/theirs' };
  const topic = { type: 'sns', topicArn: 'arn:aws:sns:eu-west-1:123456789012:events' };
  const byArn = await post(
    `${link}/answer`,
    { secrets: {}, setup: { destination: topic, authentication: aws } },
    ticket,
  );
  expect(byArn).toMatchObject({
    status: 422,
    body: { detail: expect.stringContaining('sns.eu-west-1.amazonaws.com is not among') },
  });
  const clear = { ...stated('https://api.acme.example/'), secrets: {} };
  expect(await post(`${link}/answer`, clear, ticket)).toMatchObject({ status: 422 });

  const answer = stated('https://api.acme.example/events');
  const answered = await post(`${link}/answer`, answer, ticket);
  expect(answered).toMatchObject({ status: 200, body: { receipt: expect.any(String) } });
  expect(await post(`${link}/answer`, answer, ticket)).toEqual(answered);
  const saved = stored.get('acme');
  expect(saved).toMatchObject({ state: 'paused', awaitsApproval: true, match: { company: ['ACME'] } });
  const sealed = saved?.authentication.type === 'basic' ? saved.authentication.password : '';
  expect((await new Opener(parseKeySet(keys.delivery)).open(sealed, at)).reveal()).toBe('s3cret');
  expect((await ask('GET', '/v1/invitations')).body.items).toMatchObject([{ state: 'used', customer: 'acme' }]);

  // Only an approval starts it.
  const refusal = { status: 409, body: { detail: expect.stringContaining('awaits approval') } };
  expect(await ask('POST', '/v1/subscriptions/acme/resume')).toMatchObject(refusal);
  expect(await ask('PATCH', '/v1/subscriptions/acme', { state: 'active' })).toMatchObject({
    status: 422,
    body: { errors: [{ pointer: '/state' }] },
  });
  expect(await ask('PATCH', '/v1/subscriptions/acme', { maxInFlight: 8 })).toMatchObject({
    status: 200,
    body: { state: 'paused', awaitsApproval: true, maxInFlight: 8 },
  });
  expect(await ask('POST', '/v1/subscriptions/acme/disable')).toMatchObject({ status: 200 });
  expect(await ask('POST', '/v1/subscriptions/acme/enable')).toMatchObject(refusal);
  stored.set('acme', { ...(stored.get('acme') as Subscription), state: 'paused' });

  const epoch = stored.get('acme')?.enableEpoch ?? 0;
  expect(await ask('POST', '/v1/subscriptions/acme/approve')).toMatchObject({ status: 200, body: { state: 'active' } });
  expect(stored.get('acme')).toMatchObject({ state: 'active', enableEpoch: epoch + 1 });
  expect(stored.get('acme')).not.toHaveProperty('awaitsApproval');
  // What is approved is no longer the link's to change.
  const late = await post(`${link}/answer`, stated('https://other.acme.example/'), ticket);
  expect(late).toMatchObject({ status: 409 });
});

test('no token reaches what only the page may ask, and the page reaches nothing else', async () => {
  for (const route of ['opens', 'answers', 'tests']) {
    expect((await ask('POST', `/v1/intake-page/${route}`, {})).status).toBe(403);
  }
  expect((await api.inject({ method: 'POST', url: '/v1/intake-page/opens', payload: {} })).statusCode).toBe(401);
  const { link } = (
    await ask('POST', '/v1/invitations', {
      customer: 'globex',
      setup: { eventTypes: ['root-cause'], match: { company: ['Globex'] } },
    })
  ).body;
  expect((await fetch(new URL('/v1/subscriptions', link as string))).status).toBe(404);
});
