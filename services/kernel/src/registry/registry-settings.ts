import { z } from 'zod';
import { DatabridgeError } from '../errors.ts';
import { registryVariables } from '../settings/config.ts';
import { readSecretSetting, readSetting } from '../settings/read-setting.ts';
import type { SchemaRegistrySettings } from './schema-registry.ts';

const registryConfig = z.object(registryVariables);

export type RegistryConfig = z.output<typeof registryConfig>;

/**
 * The registry that the `SCHEMA_REGISTRY_…` variables describe. Files with a password or a token are read again for
 * each request, so that renewing them needs no restart of the service.
 * @throws {DatabridgeError} DB_CONFIG_INVALID for a file that can't be read, or settings that contradict each other
 */
export function registrySettings(config: RegistryConfig): SchemaRegistrySettings {
  const url = config.SCHEMA_REGISTRY_URL;
  const tls = tlsOf(config);
  if (tls !== undefined && url.startsWith('http:')) {
    throw invalid('SCHEMA_REGISTRY_TLS_… is set, but SCHEMA_REGISTRY_URL begins with http: write https');
  }
  const authorization = authorizationOf(config);
  // A missing file is a configuration mistake, which is reported at once.
  authorization?.();
  return { url, ...(tls && { tls }), ...(authorization && { authorization }) };
}

function authorizationOf(config: RegistryConfig): SchemaRegistrySettings['authorization'] {
  const username = config.SCHEMA_REGISTRY_USERNAME;
  const password = secretOf(
    'SCHEMA_REGISTRY_PASSWORD',
    config.SCHEMA_REGISTRY_PASSWORD,
    config.SCHEMA_REGISTRY_PASSWORD_FILE,
  );
  const token = secretOf('SCHEMA_REGISTRY_TOKEN', config.SCHEMA_REGISTRY_TOKEN, config.SCHEMA_REGISTRY_TOKEN_FILE);
  if (token !== undefined) {
    if (username === undefined && password === undefined) return () => `Bearer ${sendable(token())}`;
    throw invalid('SCHEMA_REGISTRY_TOKEN and SCHEMA_REGISTRY_USERNAME are both set: the registry takes one of them');
  }
  if (username === undefined && password === undefined) return undefined;
  if (username === undefined || password === undefined) {
    throw invalid('SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD (or …_FILE) go together: set both');
  }
  if (username.includes(':')) throw invalid('SCHEMA_REGISTRY_USERNAME must not contain a colon, which ends it');
  return () => `Basic ${Buffer.from(`${username}:${password()}`, 'utf8').toString('base64')}`;
}

/** A value that no header can carry is refused here: the client's own error would show it. */
function sendable(token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw invalid('SCHEMA_REGISTRY_TOKEN (or …_FILE) is empty, or contains blanks, line ends or non-ASCII characters');
}

function secretOf(name: string, value: string | undefined, file: string | undefined): (() => string) | undefined {
  if (value !== undefined && file !== undefined)
    throw invalid(`${name} and ${name}_FILE are both set: set one of them`);
  if (file !== undefined) return () => readSecretSetting(`${name}_FILE`, file).trim();
  return value === undefined ? undefined : () => value;
}

function tlsOf(config: RegistryConfig): SchemaRegistrySettings['tls'] {
  const read = (name: 'CA' | 'CERT' | 'KEY') => {
    const variable = `SCHEMA_REGISTRY_TLS_${name}_FILE` as const;
    const file = config[variable];
    return file === undefined ? undefined : readSetting(variable, file);
  };
  const [ca, cert, key] = [read('CA'), read('CERT'), read('KEY')];
  if ((cert === undefined) !== (key === undefined)) {
    throw invalid('SCHEMA_REGISTRY_TLS_CERT_FILE and SCHEMA_REGISTRY_TLS_KEY_FILE go together: set both');
  }
  if (ca === undefined && cert === undefined) return undefined;
  return { ...(ca !== undefined && { ca }), ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) };
}

const invalid = (message: string) => new DatabridgeError('DB_CONFIG_INVALID', message);
