/** `private_key_jwt`, against an OAuth server that others wrote. */
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { EgressPolicy } from '@databridge/kernel/egress/egress-policy';
import { Secret } from '@databridge/kernel/secrets/secret';
import type { OAuthAuthentication } from '@databridge/schemas/subscription/authentication';
import { Redaction } from '../destination/redaction.ts';
import { ConnectionBudget } from '../egress/connection-budget.ts';
import { Egress } from '../egress/dispatcher.ts';
import { EgressGuard } from '../egress/egress-guard.ts';
import { OAuth } from './oauth.ts';

const keys = {
  ES256: generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
  ES384: generateKeyPairSync('ec', { namedCurve: 'secp384r1' }),
  RS256: generateKeyPairSync('rsa', { modulusLength: 2_048 }),
  EdDSA: generateKeyPairSync('ed25519'),
} as const;
type Alg = keyof typeof keys;

/** In a process of its own: it tells plain objects by their prototype, which is another one within Jest. */
const SERVER = `
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';
const server = createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const origin = 'http://127.0.0.1:' + server.address().port;
const provider = new Provider(origin, {
  clients: JSON.parse(process.argv.at(-1)),
  features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
  enabledJWA: { clientAuthSigningAlgValues: ['ES256', 'ES384', 'RS256', 'EdDSA'] },
});
server.on('request', provider.callback());
console.log(origin);
`;

let server: ChildProcess;
let origin: string;

beforeAll(async () => {
  const clients = (Object.keys(keys) as Alg[]).map((alg) => ({
    ...{ client_id: `client-${alg}`, grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
    ...{ token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: alg },
    jwks: { keys: [{ ...keys[alg].publicKey.export({ format: 'jwk' }), kid: 'key-1', use: 'sig' }] },
  }));
  const child = spawn(process.execPath, ['--input-type=module', '-e', SERVER, JSON.stringify(clients)], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  server = child;
  for await (const line of createInterface({ input: child.stdout })) {
    origin = line;
    break;
  }
});
afterAll(() => void server.kill());

function oauth(more: Partial<OAuthAuthentication<Secret>>): OAuth {
  const guard = new EgressGuard(new EgressPolicy({ allowCidrs: ['127.0.0.0/8'], denyCidrs: [], allowHttp: true }));
  const egress = new Egress({ guard, budget: new ConnectionBudget(10) });
  const authentication: OAuthAuthentication<Secret> = {
    ...{ type: 'oauth', tokenUrl: `${origin}/token`, method: 'POST', clientId: 'client-ES256' },
    ...{ clientAuthentication: 'private-key-jwt', headers: {}, query: {}, body: {} },
    ...more,
  };
  return new OAuth(authentication, { egress, tls: {}, redaction: new Redaction() });
}

const pemOf = (alg: Alg) => new Secret(String(keys[alg].privateKey.export({ type: 'pkcs8', format: 'pem' })));

async function authorized(more: Partial<OAuthAuthentication<Secret>>) {
  const client = oauth(more);
  try {
    return await client.authorize();
  } finally {
    await client.close();
  }
}

test.each(Object.keys(keys) as Alg[])('a key for %s gets a token', async (alg) => {
  const answer = await authorized({ clientId: `client-${alg}`, clientKey: pemOf(alg) });
  expect(answer).toEqual({ headers: { authorization: expect.stringMatching(/^Bearer [\w-]+$/) } });
});

test('the key id and another audience are those of the assertion', async () => {
  expect(
    await authorized({ clientKey: pemOf('ES256'), clientKeyId: 'key-1', assertionAudience: origin }),
  ).toHaveProperty('headers.authorization');
  const refused = [
    { clientKey: pemOf('ES256'), clientKeyId: 'key-2' },
    { clientKey: pemOf('ES256'), assertionAudience: 'https://elsewhere.example/' },
    {
      clientKey: new Secret(
        String(
          generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
        ),
      ),
    },
  ];
  for (const more of refused) {
    expect(await authorized(more)).toMatchObject({ outcome: { kind: 'deauthorized', failure: 'token' } });
  }
});

test('a key that JWTs have no algorithm for is named, and nothing is sent', async () => {
  const { privateKey } = generateKeyPairSync('x25519');
  const clientKey = new Secret(String(privateKey.export({ type: 'pkcs8', format: 'pem' })));
  expect(await authorized({ clientKey })).toMatchObject({
    outcome: { kind: 'deauthorized', reason: expect.stringContaining('clientKey is a key of the type x25519') },
  });
});
