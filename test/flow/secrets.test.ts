/** Secrets by the API: set anew while events flow, told but never shown, moved to another key. */

import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from '@databridge/cli/api/api-client';
import { rotateKeys } from '@databridge/cli/commands/offline/rotate-keys';
import { generateKeySet } from '@databridge/kernel/secrets/key-set';
import { Sealer } from '@databridge/kernel/secrets/sealer';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { mapSecrets } from '@databridge/schemas/subscription/secret-places';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { Receiver } from '../harness/receiver.ts';
import { type ControlPlane, startControlPlane } from '../harness/services/control-plane.ts';
import { readStoredSubscriptions } from '../harness/services/without-control-plane.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

const operator = Tokens.generate('ann', 'operator');
const [oldKeys, newKeys] = [generateKeySet('old'), generateKeySet('new')];
const openingKeys = `${newKeys.delivery},${oldKeys.delivery}`;
const signingSecret = (letter: string) => `whsec_${Buffer.from(letter.repeat(32)).toString('base64')}`;
let stage: Stage;
let plane: ControlPlane;

beforeAll(async () => {
  stage = await Stage.start({ delivery: { DATABRIDGE_KEYS: openingKeys } });
  plane = await startControlPlane([operator], { DATABRIDGE_KEYS: oldKeys.controlPlane });
});

async function create(customer: string, body: object): Promise<void> {
  const all = { eventTypes: ['root-cause'], match: { company: [customer] }, ...body };
  expect(await plane.call('PUT', `/subscriptions/${customer}`, { body: all })).toMatchObject({ status: 201 });
  await stage.fanOutKnowsAll();
}

const produce = (customer: string) => stage.upstream.produce([rootCauseEvent({ company: customer })]);

test('a secret is replaced while events flow; while the destination does not accept the new one, the old one is used', async () => {
  const customer = freshName('overlap');
  const path = `/subscriptions/${customer}/secrets`;
  let knows = 'key-1';
  const receiver = await Receiver.start(({ headers }) => ({ status: headers['x-key'] === knows ? 200 : 401 }));
  await create(customer, {
    destination: { type: 'http', url: receiver.url },
    authentication: { type: 'api-key', name: 'x-key', key: 'key-1' },
    signing: { secrets: [signingSecret('a')] },
  });
  const { body: listed } = await plane.call('GET', path);
  expect(listed.items.map(({ name }: { name: string }) => name)).toEqual(['authentication.key', 'signing.secrets.0']);
  await produce(customer);
  await receiver.waitFor(({ accepted }) => accepted === 1);

  const keyTaken = stage.changeTaken(customer);
  const set = await plane.call('PUT', `${path}/authentication.key`, { body: { value: 'key-2', overlap: '1h' } });
  expect(set).toMatchObject({ status: 200, body: { name: 'authentication.key', fallbackUntilMs: expect.any(Number) } });
  expect(set.body.setAtMs).toBeGreaterThan(listed.items[0].setAtMs);
  await keyTaken();
  await produce(customer);
  await receiver.waitFor(({ accepted }) => accepted === 2);
  expect(receiver.requests.map(({ headers }) => headers['x-key'])).toEqual(['key-1', 'key-2', 'key-1']);
  knows = 'key-2';
  await produce(customer);
  await receiver.waitFor(({ accepted }) => accepted === 3);
  expect(receiver.requests.at(-1)?.headers['x-key']).toBe('key-2');
  // Not one of them was anything but delivered: nobody was held, or tried again later.
  await eventually(
    async () => (await plane.call('GET', `/subscriptions/${customer}/status`)).body.attempts,
    ({ delivered }) => delivered === 3,
  );
  expect((await plane.call('GET', `/subscriptions/${customer}/status`)).body.attempts).toEqual({ delivered: 3 });

  const signingTaken = stage.changeTaken(customer);
  await plane.call('PUT', `${path}/signing.secrets.0`, { body: { value: signingSecret('b') } });
  await signingTaken();
  await produce(customer);
  await receiver.waitFor(({ accepted }) => accepted === 4);
  expect(receiver.requests.at(-1)?.headers['webhook-signature']).toMatch(/^v1,\S+ v1,\S+$/);
  expect(receiver.requests[0]?.headers['webhook-signature']).toMatch(/^v1,\S+$/);

  const none = await plane.call('PUT', `${path}/authentication.password`, { body: { value: 'x' } });
  expect(none).toMatchObject({ status: 404, body: { detail: expect.stringContaining('authentication.key') } });
  const wrong = await plane.call('PUT', `${path}/signing.secrets.0`, { body: { value: 'canary-no-key' } });
  expect(wrong.status).toBe(422);
  expect(JSON.stringify([wrong.body, await plane.call('GET', path)])).not.toMatch(/canary-no-key|key-\d"|whsec_\w{8}/);
});

test('a fallback is ended: from then on the new secret alone is used, and the audit log says who ended it', async () => {
  const customer = freshName('ended');
  const path = `/subscriptions/${customer}/secrets/authentication.key`;
  let knows = 'key-1';
  const receiver = await Receiver.start(({ headers }) => ({ status: headers['x-key'] === knows ? 200 : 401 }));
  await create(customer, {
    destination: { type: 'http', url: receiver.url },
    authentication: { type: 'api-key', name: 'x-key', key: 'key-1' },
  });
  await produce(customer);
  await receiver.waitFor(({ accepted }) => accepted === 1);
  const set = async (value: string, overlap: string) => {
    const taken = stage.changeTaken(customer);
    await plane.call('PUT', path, { body: { value, overlap } });
    await taken();
  };
  await set('key-2', '1h');
  const ended = stage.changeTaken(customer);
  const answer = await plane.call('DELETE', `${path}/fallback`);
  expect(answer).toMatchObject({ status: 200, body: { name: 'authentication.key', setAtMs: expect.any(Number) } });
  expect(answer.body).not.toHaveProperty('fallbackUntilMs');
  await ended();
  expect(await plane.call('DELETE', `${path}/fallback`)).toMatchObject({ status: 200, body: answer.body });
  await produce(customer);
  await eventually(
    async () => (await plane.call('GET', `/subscriptions/${customer}/status`)).body.worker?.held?.because,
    (because) => because === 'deauthorized',
  );
  knows = 'key-3';
  await set('key-3', '0s');
  await receiver.waitFor(({ accepted }) => accepted === 2);
  const keys = receiver.requests.map(({ headers }) => headers['x-key']);
  expect([keys[0], keys.at(-1), new Set(keys.slice(1, -1))]).toEqual(['key-1', 'key-3', new Set(['key-2'])]);
  const audit = await plane.call('GET', `/subscriptions/${customer}/audit`);
  const said = audit.body.items.filter(({ what }: { what: string }) => what === 'end-fallback');
  expect(said.map(({ who }: { who: { name: string } }) => who.name)).toEqual(['ann']);
  const none = await plane.call('DELETE', `/subscriptions/${customer}/secrets/authentication.password/fallback`);
  expect(none).toMatchObject({ status: 404, body: { detail: expect.stringContaining('authentication.key') } });
});

test('secrets of a change are sealed for their places: the change itself contains masks only', async () => {
  const customer = freshName('sealed');
  const path = `/subscriptions/${customer}`;
  const right = `Basic ${Buffer.from('u:typed-2').toString('base64')}`;
  const receiver = await Receiver.start(({ headers }) => ({ status: headers['authorization'] === right ? 200 : 401 }));
  await create(customer, { destination: { type: 'http', url: receiver.url }, authentication: { type: 'none' } });
  const keys = await plane.call('GET', '/sealing-keys');
  const sealer = new Sealer(keys.body.items[0]);
  const seal = (place: string, of = customer) => sealer.seal('typed-2', { customer: of, place });
  const place = 'authentication.password';
  const authentication = { type: 'basic', username: 'u', password: '[secret]' };
  const patch = async (body: object) => {
    const etag = (await plane.call('GET', path)).headers.get('etag') ?? '';
    return await plane.call('PATCH', path, { body, headers: { 'if-match': etag } });
  };
  const wrong: [object, string][] = [
    [{ authentication, sealed: { [place]: await seal(place, 'another') } }, 'another customer or place'],
    [{ authentication, sealed: { [place]: await seal('authentication.key') } }, 'another customer or place'],
    [{ sealed: { [place]: await seal(place) } }, 'must have "[secret]" there'],
    [
      { authentication: { ...authentication, password: 'x' }, sealed: { [place]: await seal(place) } },
      '"[secret]" there',
    ],
    [{ authentication }, 'is the mask that answers show'],
  ];
  for (const [body, words] of wrong) {
    const refused = await patch(body);
    expect([refused.status, refused.body.detail]).toEqual([422, expect.stringContaining(words)]);
    expect(refused.body.errors).toEqual([{ pointer: '/authentication/password', detail: expect.any(String) }]);
  }
  const taken = stage.changeTaken(customer);
  const saved = await patch({ authentication, sealed: { [place]: await seal(place) } });
  expect(saved).toMatchObject({ status: 200, body: { authentication } });
  expect(saved.body).not.toHaveProperty('sealed');
  await taken();
  await produce(customer);
  await receiver.waitFor(({ accepted }) => accepted === 1);
  expect(receiver.requests.at(-1)?.headers['authorization']).toBe(right);
});

test('after a rotation everything is sealed under the current key, and still delivered with', async () => {
  const customer = freshName('rotated');
  const receiver = await Receiver.start();
  await create(customer, {
    destination: { type: 'http', url: receiver.url },
    authentication: { type: 'basic', username: 'u', password: 'old-one' },
  });
  // What changes while its worker starts it is taken with the start, or several changes at once.
  await produce(customer);
  await receiver.waitFor(({ accepted }) => accepted === 1);
  const passwordTaken = stage.changeTaken(customer);
  await plane.call('PUT', `/subscriptions/${customer}/secrets/authentication.password`, { body: { value: 'new-one' } });
  await passwordTaken();
  await plane.service.stop();
  plane = await startControlPlane([operator], { DATABRIDGE_KEYS: `${newKeys.controlPlane},${oldKeys.controlPlane}` });
  const rotationTaken = stage.changeTaken(customer);
  const keysFile = join(await mkdtemp(join(tmpdir(), 'keys-')), 'delivery.keys');
  await writeFile(keysFile, openingKeys);
  const api = new ApiClient({ url: plane.url.replace(/\/v1$/, ''), token: operator.token });
  const rotated = await rotateKeys(api, keysFile);
  expect(rotated.failed).toEqual([]);
  expect(rotated.resealed).toBeGreaterThan(0);
  const kids = new Set<string | undefined>();
  for (const subscription of (await readStoredSubscriptions(stage.operations.kafka)).values()) {
    mapSecrets(
      subscription,
      (sealed) => void kids.add(JSON.parse(Buffer.from(sealed.split('.')[0] ?? '', 'base64url').toString()).kid),
    );
  }
  expect([...kids]).toEqual(['new']);
  expect(await rotateKeys(api, keysFile)).toEqual({ resealed: 0, failed: [] });
  await rotationTaken();
  await produce(customer);
  await receiver.waitFor(({ accepted }) => accepted === 2);
  expect(receiver.requests[1]?.headers['authorization']).toBe(`Basic ${Buffer.from('u:new-one').toString('base64')}`);
});
