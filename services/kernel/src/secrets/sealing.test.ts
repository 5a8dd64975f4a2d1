import { inspect } from 'node:util';
import { CompactEncrypt, decodeProtectedHeader } from 'jose';
import { generateKeySet, parseKeySet } from './key-set.ts';
import { Opener } from './opener.ts';
import { Sealer } from './sealer.ts';
import { kidOf, markOf, SealingDesk } from './sealing-desk.ts';

const [older, newer] = [generateKeySet('2025'), generateKeySet('2026')];
const deskOf = (...texts: string[]) => new SealingDesk(parseKeySet(texts.join('\n')));
const openerOf = (...texts: string[]) => new Opener(parseKeySet(texts.join('\n')));
const at = { customer: 'acme', place: 'authentication.key' };
const dirKey = Buffer.alloc(32, 7);
const dirLine = `2024:${dirKey.toString('base64url')}`;

test('what a control plane seals, a worker opens, also after a rotation put newer keys in front', async () => {
  const sealed = await deskOf(older.controlPlane).seal('hünter2', at);
  expect(sealed).not.toContain('hünter2');
  expect((await openerOf(newer.delivery, older.delivery).open(sealed, at)).reveal()).toBe('hünter2');
  expect(decodeProtectedHeader(sealed)).toMatchObject({ alg: 'ECDH-ES', enc: 'A256GCM', kid: '2025', sub: 'acme' });
});

test('a seal opens for its customer and place alone, even if its header is rewritten', async () => {
  const opener = openerOf(older.delivery);
  const sealed = await deskOf(older.controlPlane).seal('hunter2', at);
  const other = { customer: 'globex', place: 'authentication.key' };
  await expect(opener.open(sealed, other)).rejects.toThrow('another customer');
  await expect(opener.open(sealed, { ...at, place: 'authentication.password' })).rejects.toThrow('another place');
  const [header = '', ...rest] = sealed.split('.');
  const fields = JSON.parse(Buffer.from(header, 'base64url').toString());
  const apv = Buffer.from(JSON.stringify(['globex', 'authentication.key'])).toString('base64url');
  for (const change of [{ sub: 'globex' }, { sub: 'globex', apv }]) {
    const forged = [Buffer.from(JSON.stringify({ ...fields, ...change })).toString('base64url'), ...rest].join('.');
    await expect(opener.open(forged, other)).rejects.toMatchObject({ code: 'DB_SECRET_UNSEALABLE' });
  }
});

test('what control planes hold opens nothing, and what opens is refused there', async () => {
  expect(() => openerOf(older.controlPlane)).toThrow(/no opening key/);
  expect(() => deskOf(older.controlPlane, older.delivery)).toThrow(/"2025" opens secrets/);
  expect(() => deskOf(older.controlPlane, dirLine)).toThrow(/"2024" opens secrets/);
  expect(() => deskOf(older.controlPlane.split('\n')[0] ?? '')).toThrow(/no sharing key/);
  expect(() => deskOf('')).toThrow(/no sealing key/);
});

test('a mark shows whether a secret is the sealed one; a secret that a browser sealed has none', async () => {
  const sealed = await deskOf(older.controlPlane).seal('hunter2', at);
  const desk = deskOf(newer.controlPlane, older.controlPlane);
  expect(desk.matches(sealed, 'hunter2', at)).toBe(true);
  expect(desk.matches(sealed, 'hunter3', at)).toBe(false);
  expect(desk.matches(sealed, 'hunter2', { ...at, customer: 'globex' })).toBe(false);
  expect(desk.matches(sealed, 'hunter2', { ...at, place: 'authentication.password' })).toBe(false);
  expect(deskOf(newer.controlPlane).matches(sealed, 'hunter2', at)).toBeUndefined();
  expect(desk.matches('not.a.jwe', 'hunter2', at)).toBeUndefined();
  const [key] = desk.sealingKeys;
  if (key === undefined) throw new Error('the desk has a key');
  const byBrowser = await new Sealer(key).seal('hunter2', at);
  expect(desk.matches(byBrowser, 'hunter2', at)).toBeUndefined();
  expect((await openerOf(newer.delivery).open(byBrowser, at)).reveal()).toBe('hunter2');
});

test('sealed again with its mark, it no longer needs the older key, and still differs from others', async () => {
  const sealed = await deskOf(older.controlPlane).seal('hunter2', at);
  const opener = openerOf(newer.delivery, older.delivery);
  const secret = await opener.open(sealed, at);
  const resealed = await new Sealer(opener.current).seal(secret.reveal(), at, markOf(sealed));
  expect(kidOf(resealed)).toBe('2026');
  expect((await openerOf(newer.delivery).open(resealed, at)).reveal()).toBe('hunter2');
  expect(deskOf(newer.controlPlane, older.controlPlane).matches(resealed, 'hunter2', at)).toBe(true);
});

test('seals of an earlier version (dir) are opened by the key that sealed them, for their customer', async () => {
  const header = { alg: 'dir', enc: 'A256GCM', kid: '2024', sub: 'acme', mark: 'x'.repeat(22) };
  const sealed = await new CompactEncrypt(Buffer.from('hunter2')).setProtectedHeader(header).encrypt(dirKey);
  const opener = openerOf(newer.delivery, dirLine);
  expect(opener.kids).toEqual(['2026', '2024']);
  expect((await opener.open(sealed, at)).reveal()).toBe('hunter2');
  await expect(opener.open(sealed, { ...at, customer: 'globex' })).rejects.toThrow('another customer');
  await expect(openerOf(newer.delivery).open(sealed, at)).rejects.toThrow(/no key "2024"/);
  expect(deskOf(newer.controlPlane).matches(sealed, 'hunter2', at)).toBeUndefined();
  expect(markOf(sealed)).toBeUndefined();
});

test('a seal made elsewhere is recognized by its header', async () => {
  const desk = deskOf(older.controlPlane);
  const sealed = await desk.seal('hunter2', at);
  expect(desk.sealMistake(sealed, at)).toBeUndefined();
  expect(desk.sealMistake(sealed, { ...at, place: 'tls.clientKey' })).toMatch(/another customer or place/);
  expect(deskOf(newer.controlPlane).sealMistake(sealed, at)).toMatch(/"2025", which is not among 2026/);
  expect(desk.sealMistake('hunter2', at)).toMatch(/compact JWE/);
  const dir = await new CompactEncrypt(Buffer.from('x'))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .encrypt(dirKey);
  expect(desk.sealMistake(dir, at)).toMatch(/ECDH-ES/);
});

test('without the key, or damaged, the error says so and contains no secret', async () => {
  const sealed = await deskOf(older.controlPlane).seal('hunter2', at);
  await expect(openerOf(newer.delivery).open(sealed, at)).rejects.toThrow(/no opening key "2025"/);
  for (const damaged of ['not.a.jwe', `${sealed.slice(0, -4)}AAAA`, '']) {
    await expect(openerOf(older.delivery).open(damaged, at)).rejects.toMatchObject({ code: 'DB_SECRET_UNSEALABLE' });
  }
});

test('what is changed in any part, or of another form, opens to nothing', async () => {
  const opener = openerOf(older.delivery);
  const sealed = await deskOf(older.controlPlane).seal('hunter2', at);
  const [head = '', , iv = '', ciphertext = '', tag = ''] = sealed.split('.');
  const fields = JSON.parse(Buffer.from(head, 'base64url').toString()) as Record<string, unknown>;
  const withHead = (change: object) => Buffer.from(JSON.stringify({ ...fields, ...change })).toString('base64url');
  const flipped = (part: string) => `${part.startsWith('A') ? 'B' : 'A'}${part.slice(1)}`;
  const stranger = (await deskOf(older.controlPlane).seal('hunter2', at)).split('.')[0] ?? '';
  const forged: [string, string][] = [
    [[head, '', flipped(iv), ciphertext, tag].join('.'), 'authenticate'],
    [[head, '', iv, flipped(ciphertext), tag].join('.'), 'authenticate'],
    [[head, '', iv, ciphertext, flipped(tag)].join('.'), 'authenticate'],
    [[stranger, '', iv, ciphertext, tag].join('.'), 'authenticate'],
    [[withHead({ more: 'of it' }), '', iv, ciphertext, tag].join('.'), 'authenticate'],
    [[head, '', iv, ciphertext, tag.slice(0, 16)].join('.'), 'its nonce or its tag is cut'],
    [[head, '', iv.slice(0, 8), ciphertext, tag].join('.'), 'its nonce or its tag is cut'],
    [[head, 'AAAA', iv, ciphertext, tag].join('.'), 'no seal'],
    [[withHead({ enc: 'A128GCM' }), '', iv, ciphertext, tag].join('.'), 'not sealed by ECDH-ES'],
    [[withHead({ crit: ['b64'] }), '', iv, ciphertext, tag].join('.'), 'not sealed by ECDH-ES'],
    [[withHead({ zip: 'DEF' }), '', iv, ciphertext, tag].join('.'), 'not sealed by ECDH-ES'],
    [[withHead({ epk: { kty: 'EC', crv: 'P-384', x: 'AA', y: 'AA' } }), '', iv, ciphertext, tag].join('.'), 'P-256'],
    // A point that is not on the curve would give the private key away, bit by bit.
    [[withHead({ epk: { kty: 'EC', crv: 'P-256', x: 'AQ', y: 'AQ' } }), '', iv, ciphertext, tag].join('.'), 'JWK'],
  ];
  for (const [seal, says] of forged) {
    await expect(opener.open(seal, at)).rejects.toMatchObject({
      code: 'DB_SECRET_UNSEALABLE',
      message: expect.stringContaining(says),
    });
  }
});

test('keys that can’t be right are refused by messages that quote none', () => {
  expect(() => parseKeySet('a:opening:tooshort')).toThrow(/Entry 1 of the keys is not one of/);
  expect(() => parseKeySet(`a:other:${'A'.repeat(43)}`)).toThrow(/Entry 1/);
  expect(() => parseKeySet(`${older.delivery},${older.delivery}`)).toThrow(/name "2025" twice/);
  expect(() => parseKeySet(`a:opening:${'A'.repeat(43)}`)).toThrow(/not a private key of P-256/);
  expect(() => parseKeySet(`a:sealing:${Buffer.alloc(65, 4).toString('base64url')}`)).toThrow(
    /not a public key of P-256/,
  );
});

test('no way of printing a secret shows it', async () => {
  const secret = await openerOf(older.delivery).open(await deskOf(older.controlPlane).seal('hunter2', at), at);
  const shown = [`${secret}`, JSON.stringify({ secret }), inspect({ secret }), inspect(secret, { showHidden: true })];
  expect(shown.join()).not.toContain('hunter2');
});
