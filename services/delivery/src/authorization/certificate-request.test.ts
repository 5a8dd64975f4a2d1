/** Judged by OpenSSL, which others wrote. */
import { execFileSync } from 'node:child_process';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { makeKeyPair } from './certificate-request.ts';

test.each(['acme', 'é'.repeat(64)])(
  'a request for %s has the public key and the name, signed by its key',
  async (name) => {
    const { csr, privateKey } = await makeKeyPair(name);
    const openssl = (...args: string[]) =>
      execFileSync('openssl', ['req', '-verify', '-noout', ...args], { input: csr, encoding: 'utf8', stdio: 'pipe' });
    expect(openssl('-subject', '-nameopt', 'utf8,sname').trim()).toMatch(new RegExp(`CN ?= ?${name}$`));
    expect(openssl('-pubkey')).toContain(
      createPublicKey(createPrivateKey(privateKey)).export({ type: 'spki', format: 'pem' }),
    );
    expect(openssl('-text')).toContain('Signature Algorithm: ecdsa-with-SHA256');
    expect(createPrivateKey(privateKey).asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
  },
);
