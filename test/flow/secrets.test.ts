/** Secrets by the API: set anew while events flow, told but never shown, moved to another key. */

import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from '@databridge/cli/api/api-client';
import { rotateKeys } from '@databridge/cli/commands/offline/rotate-keys';
import { generateKeySet } from '@databridge/kernel/secrets/key-set';
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

test('a secret is set anew while events flow; where the new one is not known yet, the old one is', async () => {
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
