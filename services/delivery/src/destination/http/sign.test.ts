import { createHmac } from 'node:crypto';
import { Secret } from '@databridge/kernel/secrets/secret';
import { anyText } from '@databridge/schemas/event/text-fixture';
import fc from 'fast-check';
import { Signer } from './sign.ts';

const secretOf = (key: Uint8Array) => new Secret(`whsec_${Buffer.from(key).toString('base64')}`);

test("whatever the key and the message: the same as Node's own HMAC", () => {
  const key = fc.uint8Array({ minLength: 1, maxLength: 150 });
  const text = anyText({ maxLength: 300 });
  fc.assert(
    fc.property(key, key, text, fc.nat(), text, (newer, older, id, seconds, body) => {
      const by = (secret: Uint8Array) =>
        `v1,${createHmac('sha256', secret).update(`${id}.${seconds}.`).update(body).digest('base64')}`;
      const signer = new Signer([secretOf(newer), secretOf(older)]);
      expect(signer.sign(id, seconds, Buffer.from(body))).toBe(`${by(newer)} ${by(older)}`);
      // What one signature left behind must not show in the next.
      expect(signer.sign(id, seconds, Buffer.from(body))).toBe(`${by(newer)} ${by(older)}`);
    }),
  );
});

test('keys around the block size of the hash, where their treatment changes', () => {
  for (const length of [63, 64, 65, 128]) {
    const key = Buffer.alloc(length, 0xab);
    const expected = createHmac('sha256', key).update('id.1.{}').digest('base64');
    expect(new Signer([secretOf(key)]).sign('id', 1, Buffer.from('{}'))).toBe(`v1,${expected}`);
  }
});

test('a key that was replaced signs beside the new one until it runs out, and then no more', () => {
  const [now, old] = [secretOf(Buffer.alloc(32, 1)), secretOf(Buffer.alloc(32, 2))];
  const signer = new Signer([now], [{ secret: old, untilMs: 5_000 }]);
  const body = Buffer.from('{}');
  expect(signer.sign('id', 4, body)).toBe(new Signer([now, old]).sign('id', 4, body));
  expect(signer.sign('id', 5, body)).toBe(new Signer([now]).sign('id', 5, body));
});
