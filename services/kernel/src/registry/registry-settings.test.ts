import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { readConfig, registryVariables } from '../settings/config.ts';
import { registrySettings } from './registry-settings.ts';
import { SchemaRegistry } from './schema-registry.ts';

const URL_GIVEN = 'https://registry.example';
const read = (env: Record<string, string>) =>
  registrySettings(readConfig(z.object(registryVariables), { SCHEMA_REGISTRY_URL: URL_GIVEN, ...env }));
const file = (text: string) => {
  const path = join(mkdtempSync(join(tmpdir(), 'registry-')), 'file');
  writeFileSync(path, text);
  return path;
};

test('without credentials, none are sent', () => {
  expect(read({})).toEqual({ url: URL_GIVEN });
});

test('a byte order mark and line ends are no part of a password in a file', () => {
  const settings = read({ SCHEMA_REGISTRY_USERNAME: 'a', SCHEMA_REGISTRY_PASSWORD_FILE: file('\ufeffb\r\n') });
  expect(settings.authorization?.()).toBe(`Basic ${Buffer.from('a:b').toString('base64')}`);
});

test.each<[string, Record<string, string>, RegExp]>([
  ['a password in the URL', { SCHEMA_REGISTRY_URL: 'http://key:hunter2@registry' }, /SCHEMA_REGISTRY_PASSWORD_FILE/],
  ['a user name in the URL', { SCHEMA_REGISTRY_URL: 'http://hunter2@registry' }, /SCHEMA_REGISTRY_USERNAME/],
  ['a user name alone', { SCHEMA_REGISTRY_USERNAME: 'hunter2' }, /set both/],
  ['a password alone', { SCHEMA_REGISTRY_PASSWORD: 'hunter2' }, /set both/],
  ['Basic and a token', { SCHEMA_REGISTRY_USERNAME: 'a', SCHEMA_REGISTRY_TOKEN: 'hunter2' }, /one of them/],
  ['a token twice', { SCHEMA_REGISTRY_TOKEN: 'hunter2', SCHEMA_REGISTRY_TOKEN_FILE: '/nowhere' }, /both set/],
  [
    'a file that is not there',
    { SCHEMA_REGISTRY_TOKEN_FILE: '/nowhere/hunter' },
    /SCHEMA_REGISTRY_TOKEN_FILE: .*ENOENT/,
  ],
  [
    'an empty password file',
    { SCHEMA_REGISTRY_USERNAME: 'a', SCHEMA_REGISTRY_PASSWORD_FILE: file('\n') },
    /SCHEMA_REGISTRY_PASSWORD_FILE: .*is empty/,
  ],
  ['a colon in the user name', { SCHEMA_REGISTRY_USERNAME: 'a:b', SCHEMA_REGISTRY_PASSWORD: 'hunter2' }, /colon/],
  ['two tokens in a file', { SCHEMA_REGISTRY_TOKEN_FILE: file('hunter2\nhunter2') }, /line ends/],
  ['a token that no header carries', { SCHEMA_REGISTRY_TOKEN: 'hunter2ö' }, /non-ASCII/],
  ['an empty file', { SCHEMA_REGISTRY_TOKEN_FILE: file(' \n') }, /empty/],
  ['a certificate without its key', { SCHEMA_REGISTRY_TLS_CERT_FILE: file('x') }, /set both/],
  [
    'TLS files for plain http',
    { SCHEMA_REGISTRY_URL: 'http://registry', SCHEMA_REGISTRY_TLS_CA_FILE: file('x') },
    /write https/,
  ],
])('%s is refused, without being shown', (_what, env, words) => {
  const refusal = expect.objectContaining({ code: 'DB_CONFIG_INVALID', message: expect.stringMatching(words) });
  expect(() => read(env)).toThrow(refusal);
  try {
    read(env);
  } catch (error) {
    expect((error as Error).message).not.toContain('hunter2');
  }
});

test('TLS files that can’t be used are refused at the start', () => {
  const settings = read({ SCHEMA_REGISTRY_TLS_CERT_FILE: file('no'), SCHEMA_REGISTRY_TLS_KEY_FILE: file('pem') });
  expect(() => new SchemaRegistry(settings)).toThrow(expect.objectContaining({ code: 'DB_CONFIG_INVALID' }));
});
