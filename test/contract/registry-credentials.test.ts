/** A registry that asks for credentials: Basic, bearer, mutual TLS, a private authority; none of them is ever shown. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { registrySettings } from '@databridge/kernel/registry/registry-settings';
import { SchemaRegistry } from '@databridge/kernel/registry/schema-registry';
import { readConfig, registryVariables } from '@databridge/kernel/settings/config';
import { z } from 'zod';
import { startRegistryGuard } from '../harness/kafka/registry-guard.ts';
import { makeCertificates } from '../harness/peers/certificates.ts';
import { platform } from '../harness/platform.ts';

const SECRET = 's3cr3t: with "all" kinds of chäracters';
const directory = mkdtempSync(join(tmpdir(), 'registry-'));
const file = (name: string, text: string) => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};
const basic = (username: string, password: string) =>
  `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;

function registryOf(url: string, variables: Record<string, string>): SchemaRegistry {
  const config = readConfig(z.object(registryVariables), { SCHEMA_REGISTRY_URL: url, ...variables });
  return new SchemaRegistry({ ...registrySettings(config), timeoutMs: 30_000 });
}

/** Registers a schema and reads it: what fan-out does. */
async function works(registry: SchemaRegistry): Promise<void> {
  const subject = `credentials.${randomUUID()}`;
  const name = `N${randomUUID().replaceAll('-', '')}`;
  await registry.ensureCompatibility(subject);
  const id = await registry.register(subject, JSON.stringify({ type: 'record', name, fields: [] }));
  expect(await registry.writerSchema(id)).toMatchObject({ kind: 'schema', schema: expect.stringContaining(name) });
}

test.each([
  ['in a variable', () => ({ SCHEMA_REGISTRY_PASSWORD: SECRET })],
  ['in a file', () => ({ SCHEMA_REGISTRY_PASSWORD_FILE: file('password', `${SECRET}\n`) })],
])('Basic, the password %s', async (_where, password) => {
  const { url } = await startRegistryGuard(platform().registryUrl, { authorization: () => basic('key', SECRET) });
  await works(registryOf(url, { SCHEMA_REGISTRY_USERNAME: 'key', ...password() }));
});

test('a bearer token in a file, which is renewed while the service runs', async () => {
  let token = 'first';
  const { url } = await startRegistryGuard(platform().registryUrl, { authorization: () => `Bearer ${token}` });
  const path = file('token', 'first\n');
  const registry = registryOf(url, { SCHEMA_REGISTRY_TOKEN_FILE: path });
  await works(registry);
  token = 'second';
  expect(await registry.writerSchema(2 ** 31 - 1)).toMatchObject({ kind: 'unreachable' });
  writeFileSync(path, 'second\n');
  await works(registry);
});

test('mutual TLS with a private authority', async () => {
  const { dir, ca, client, stranger } = await makeCertificates();
  const [cert, key] = ['server.crt', 'server.key'].map((name) => readFileSync(join(dir, name), 'utf8')) as [
    string,
    string,
  ];
  const { url } = await startRegistryGuard(platform().registryUrl, { tls: { cert, key, clientCa: ca } });
  const with_ = ({ certificate, key: clientKey }: typeof client, name: string) => ({
    SCHEMA_REGISTRY_TLS_CERT_FILE: file(`${name}.crt`, certificate),
    SCHEMA_REGISTRY_TLS_KEY_FILE: file(`${name}.key`, clientKey),
  });
  const trusted = { SCHEMA_REGISTRY_TLS_CA_FILE: file('ca.crt', ca) };
  await works(registryOf(url, { ...trusted, ...with_(client, 'client') }));
  for (const wrong of [{}, trusted, { ...trusted, ...with_(stranger, 'stranger') }]) {
    expect(await registryOf(url, wrong).writerSchema(1)).toMatchObject({ kind: 'unreachable' });
  }
});

test('refused credentials are said without being shown, also when the registry shows them', async () => {
  const { url } = await startRegistryGuard(platform().registryUrl, { authorization: () => 'Bearer another' });
  const given = { SCHEMA_REGISTRY_USERNAME: 'key', SCHEMA_REGISTRY_PASSWORD: SECRET };
  const found = await registryOf(url, given).writerSchema(1);
  if (found.kind !== 'unreachable') throw new Error('expected a refusal');
  expect(found.error.message).toMatch(/answered 401/);
  expect(found.error.message).not.toContain(basic('key', SECRET).slice(6));
});
