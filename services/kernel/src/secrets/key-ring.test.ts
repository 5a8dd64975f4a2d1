import { inspect } from 'node:util';
import { KeyRing } from './key-ring.ts';

const oldKey = KeyRing.generate('2025');
const newKey = KeyRing.generate('2026');

test('a sealed secret opens for its owner, also after a rotation put a newer key in front', async () => {
  const sealed = await new KeyRing(oldKey).seal('hunter2', 'acme');
  expect(sealed).not.toContain('hunter2');
  const secret = await new KeyRing(`${newKey},${oldKey}`).unseal(sealed, 'acme');
  expect(secret.reveal()).toBe('hunter2');
});

test('whether a secret is the one sealed is told without opening it', async () => {
  const sealed = await new KeyRing(oldKey).seal('hunter2', 'acme');
  const ring = new KeyRing(`${newKey},${oldKey}`);
  expect(ring.holds(sealed, 'hunter2', 'acme')).toBe(true);
  expect(ring.holds(sealed, 'hunter3', 'acme')).toBe(false);
  expect(ring.holds(sealed, 'hunter2', 'globex')).toBe(false);
  expect(ring.holds('not.a.jwe', 'hunter2', 'acme')).toBe(false);
  expect(new KeyRing(newKey).holds(sealed, 'hunter2', 'acme')).toBe(false);
});

test('sealed anew, it needs the older key no more; what is under the current key stays the very text', async () => {
  const sealed = await new KeyRing(oldKey).seal('hunter2', 'acme');
  const resealed = await new KeyRing(`${newKey},${oldKey}`).reseal(sealed, 'acme');
  expect((await new KeyRing(newKey).unseal(resealed, 'acme')).reveal()).toBe('hunter2');
  expect(await new KeyRing(newKey).reseal(resealed, 'acme')).toBe(resealed);
  await expect(new KeyRing(newKey).reseal(sealed, 'acme')).rejects.toMatchObject({ code: 'DB_SECRET_UNSEALABLE' });
});

test('a sealed secret copied into another customer’s record stays shut', async () => {
  const ring = new KeyRing(oldKey);
  const sealed = await ring.seal('hunter2', 'acme');
  await expect(ring.unseal(sealed, 'globex')).rejects.toMatchObject({ code: 'DB_SECRET_UNSEALABLE' });
});

test('without the key, or damaged, the error says so and holds no secret', async () => {
  const sealed = await new KeyRing(oldKey).seal('hunter2', 'acme');
  await expect(new KeyRing(newKey).unseal(sealed, 'acme')).rejects.toThrow(/no key "2025"/);
  await expect(new KeyRing(oldKey).unseal('not.a.jwe', 'acme')).rejects.toMatchObject({ code: 'DB_SECRET_UNSEALABLE' });
});

test('a key ring that can’t be right is refused in words', () => {
  expect(() => new KeyRing('')).toThrow(/empty/);
  expect(() => new KeyRing('a:tooshort')).toThrow(/32 bytes/);
  expect(() => new KeyRing(`${oldKey},${oldKey}`)).toThrow(/names "2025" twice/);
});

test('no way of printing a secret shows it', async () => {
  const ring = new KeyRing(oldKey);
  const secret = await ring.unseal(await ring.seal('hunter2', 'acme'), 'acme');
  const shown = [
    `${secret}`,
    JSON.stringify({ secret }),
    inspect({ secret }),
    String(secret),
    inspect(secret, { showHidden: true }),
  ];
  expect(shown.join()).not.toContain('hunter2');
});
