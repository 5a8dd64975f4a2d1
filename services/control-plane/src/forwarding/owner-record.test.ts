import { generateKeySet, parseKeySet } from '@databridge/kernel/secrets/key-set';
import { SealingDesk } from '@databridge/kernel/secrets/sealing-desk';
import { KnownOwner, signOwner, verifyOwner } from './owner-record.ts';
import { peerKeys } from './peer-keys.ts';

const [oldKey, newKey] = ['2025', '2026'].map((kid) => generateKeySet(kid).controlPlane) as [string, string];
const keysOf = (text: string) => peerKeys(new SealingDesk(parseKeySet(text)));
const keys = keysOf(newKey);

test('an owner’s record is verified by all that share a key, also in the middle of a rotation', async () => {
  const record = await signOwner({ origin: 'http://10.0.0.7:8080', term: 3 }, keysOf(`${newKey},${oldKey}`));
  const owner = { origin: 'http://10.0.0.7:8080', term: 3, kids: ['2026', '2025'] };
  expect(await verifyOwner(record, keysOf(oldKey))).toEqual(owner);
  expect(await verifyOwner(record, keysOf(newKey))).toEqual(owner);
  expect(await verifyOwner(record, keysOf(generateKeySet('2027').controlPlane))).toBeUndefined();
});

test.each([
  ['unsigned, as it was before', JSON.stringify({ url: 'http://attacker.test' })],
  ['no JSON', 'http://attacker.test'],
  ['null', 'null'],
])('a record that is %s leads nowhere', async (_, record) => {
  expect(await verifyOwner(record, keys)).toBeUndefined();
});

test('a record signed under another ring’s key of the same name, or changed, leads nowhere', async () => {
  const forged = await signOwner(
    { origin: 'http://attacker.test', term: 9 },
    keysOf(generateKeySet('2026').controlPlane),
  );
  expect(await verifyOwner(forged, keys)).toBeUndefined();
  const record = JSON.parse(await signOwner({ origin: 'http://10.0.0.7:8080', term: 1 }, keys));
  const payload = Buffer.from(JSON.stringify({ origin: 'http://attacker.test', term: 1, kids: [] })).toString(
    'base64url',
  );
  expect(await verifyOwner(JSON.stringify({ ...record, payload }), keys)).toBeUndefined();
});

test('an origin is all that a record may hold: no path, no credentials, no other scheme', async () => {
  for (const origin of ['http://a.test/x', 'http://u:p@a.test', 'ftp://a.test', 'file:///etc', 'javascript:0', '']) {
    expect(await verifyOwner(await signOwner({ origin, term: 1 }, keys), keys)).toBeUndefined();
  }
});

test('a forged record, or an older one that is written again, leaves the last good one in force', async () => {
  let refused = 0;
  const known = new KnownOwner(keys, () => refused++);
  const first = await signOwner({ origin: 'http://old.test', term: 1 }, keys);
  const second = await signOwner({ origin: 'http://new.test', term: 2 }, keys);
  expect(await known.read(undefined)).toBeUndefined();
  expect((await known.read(first))?.origin).toBe('http://old.test');
  expect((await known.read(second))?.origin).toBe('http://new.test');
  expect((await known.read(first))?.origin).toBe('http://new.test');
  expect((await known.read('{"url":"http://attacker.test"}'))?.origin).toBe('http://new.test');
  expect(refused).toBe(2);
});
