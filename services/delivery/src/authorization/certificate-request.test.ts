import { createPrivateKey, createPublicKey, verify } from 'node:crypto';
import { makeKeyPair } from './certificate-request.ts';

/** The content of one element of DER, and what comes after it. */
function element(bytes: Buffer): { tag: number; whole: Buffer; content: Buffer; rest: Buffer } {
  const [tag = 0, first = 0] = bytes;
  const extra = first < 128 ? 0 : first - 128;
  const length = extra === 0 ? first : bytes.readUIntBE(2, extra);
  const from = 2 + extra;
  const end = from + length;
  return { tag, whole: bytes.subarray(0, end), content: bytes.subarray(from, end), rest: bytes.subarray(end) };
}

test.each(['acme', 'é'.repeat(64)])(
  'a request for %s holds the public key and the name, signed by the private one',
  (name) => {
    const { csr, privateKey } = makeKeyPair(name);
    const request = element(Buffer.from(csr.replaceAll(/-----[A-Z ]+-----|\n/g, ''), 'base64'));
    expect([request.tag, request.rest.length]).toEqual([0x30, 0]);
    const info = element(request.content);
    const version = element(info.content);
    const subject = element(version.rest);
    const spki = element(subject.rest);
    expect(subject.content.includes(Buffer.from(name))).toBe(true);
    const publicKey = createPublicKey({ key: spki.whole, format: 'der', type: 'spki' });
    expect(publicKey.equals(createPublicKey(createPrivateKey(privateKey)))).toBe(true);
    const signature = element(element(info.rest).rest);
    expect(verify('sha256', info.whole, publicKey, signature.content.subarray(1))).toBe(true);
  },
);
