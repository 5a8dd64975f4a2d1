import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger } from '@databridge/kernel/log';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { OidcCallers } from './oidc.ts';

test('the subject of a JWT must be a text: of anything else, two callers could have the same name', async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'one' }] });
  const server = createServer((_request, response) => response.setHeader('content-type', 'application/json').end(keys));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    const settings = {
      issuer: 'https://issuer.example',
      audience: 'databridge',
      roleClaim: 'role',
      customerClaim: 'tenant',
    };
    const callers = new OidcCallers({ ...settings, jwksUrl }, createLogger('test', 'silent'));
    const nameOf = async (sub: unknown, role: unknown = 'operator') => {
      const token = new SignJWT({ role, sub: sub as string }).setProtectedHeader({ alg: 'ES256', kid: 'one' });
      const signed = token.setIssuer(settings.issuer).setAudience(settings.audience).setExpirationTime('5m');
      return await callers.callerOf(await signed.sign(privateKey));
    };
    expect(await nameOf('ann')).toMatchObject({ name: 'ann', role: 'operator' });
    expect(await nameOf('bob', ['reader', 'payloads'])).toMatchObject({ name: 'bob', role: 'reader', payloads: true });
    for (const sub of [7, true, {}, { name: 'ann' }, ['ann'], null, '', 'a\nb', 'x'.repeat(256)]) {
      expect([sub, await nameOf(sub)]).toEqual([sub, undefined]);
    }
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
