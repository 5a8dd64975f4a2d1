/** What an earlier version saved, and no version would take today, can be stopped, sealed anew and deleted. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from '@databridge/cli/api/api-client';
import { rotateKeys } from '@databridge/cli/commands/offline/rotate-keys';
import { generateKeySet } from '@databridge/kernel/secrets/key-set';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { SUBSCRIPTIONS_TOPIC } from '@databridge/schemas/records/topics';
import { MAX_SUBSCRIPTION_BYTES } from '@databridge/schemas/subscription/size-limits';
import { encodeSubscription } from '@databridge/schemas/subscription/subscription';
import { Receiver } from '../harness/receiver.ts';
import { startControlPlane } from '../harness/services/control-plane.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

let stage: Stage;
const tokens = [Tokens.generate('ann', 'operator')];

beforeAll(async () => {
  stage = await Stage.start();
});

/** A record as the version before wrote it: of any size that fits a record. */
async function store(customer: string, bytes: number): Promise<void> {
  const receiver = await Receiver.start();
  await stage.subscribe(customer, receiver.url, { authentication: { type: 'api-key', name: 'x-key', key: 'hunter2' } });
  const stored = (await stage.operations.subscriptions()).get(customer);
  if (stored === undefined) throw new Error(`${customer} is not stored`);
  const name = 'x'.repeat(40);
  const companies = Array.from({ length: Math.ceil(bytes / (name.length + 8)) }, (_, n) => `${name}${10_000 + n}`);
  const value = encodeSubscription({ ...stored, match: { company: companies } });
  expect(value.length).toBeGreaterThan(bytes);
  await stage.operations.producer.send([{ topic: SUBSCRIPTIONS_TOPIC, key: customer, value }]);
}

test('a subscription of 560 KB or 700 KB is paused, disabled, sealed under another key, and deleted', async () => {
  const customers = [freshName('large'), freshName('larger')];
  await store(customers[0] as string, 560_000);
  await store(customers[1] as string, 700_000);
  const newer = generateKeySet('newer');
  const plane = await startControlPlane(tokens, { DATABRIDGE_KEYS: `${newer.controlPlane},${stage.keys}` });
  const keysFile = join(await mkdtemp(join(tmpdir(), 'keys-')), 'delivery.keys');
  await writeFile(keysFile, `${newer.delivery},${stage.openingKeys}`);
  const act = async (customer: string, action: string) => {
    const { status, body } = await plane.call('POST', `/subscriptions/${customer}/${action}`);
    return [status, body.after];
  };
  for (const customer of customers) {
    expect(await act(customer, 'pause')).toEqual([200, 'paused']);
    expect(await act(customer, 'resume')).toEqual([200, 'active']);
    expect(await act(customer, 'disable')).toEqual([200, 'disabled']);
  }
  const api = new ApiClient({ url: plane.url.replace(/\/v1$/, ''), token: tokens[0]?.token ?? '' });
  expect(await rotateKeys(api, keysFile)).toEqual({ resealed: 2, failed: [] });
  for (const customer of customers) {
    // As large as it is, it is not taken once more.
    const read = await plane.call('GET', `/subscriptions/${customer}`);
    expect(JSON.stringify(read.body).length).toBeGreaterThan(MAX_SUBSCRIPTION_BYTES);
    const etag = read.headers.get('etag') ?? '';
    const headers = { 'if-match': etag };
    const deleted = await plane.call('DELETE', `/subscriptions/${customer}?waiting=discard`, { headers });
    expect(deleted).toMatchObject({ status: 200, body: { topics: 'removed' } });
    expect((await plane.call('GET', `/subscriptions/${customer}`)).status).toBe(404);
    const { items } = (await plane.call('GET', `/audit?customer=${customer}`)).body;
    expect(items.map(({ what }: { what: string }) => what)).toEqual(
      expect.arrayContaining(['pause', 'reseal', 'delete']),
    );
  }
  expect(await plane.service.stop()).toBe(0);
});
