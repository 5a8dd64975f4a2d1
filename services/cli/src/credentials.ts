/** The address of the API and the token: from the environment, otherwise as `databridge login` stored them. */
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabridgeError, messageOf } from '@databridge/kernel/errors';
import { withoutUserInfo } from '@databridge/kernel/settings/url-user-info';
import type { Connection } from './api/api-client.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export function isHttpUrl(text: string): boolean {
  return /^https?:$/.test(URL.parse(text)?.protocol ?? '');
}

interface Settings {
  /** The address of the control plane's API; if unset, the one that `databridge login` stored. */
  readonly url: string | undefined;
  /** If unset, the token that `databridge login` stored for that address. */
  readonly token: string | undefined;
  /** A file that contains the token, as containers are given secrets. */
  readonly tokenFile: string | undefined;
  /** Holds `databridge/credentials.json`. */
  readonly configHome: string;
}

/**
 * Reads the variables without a schema library, which would take longer to load than the rest of the command line. An
 * empty variable counts as unset.
 */
function settingsIn(env: Environment): Settings {
  const url = env['DATABRIDGE_URL'] || undefined;
  if (url !== undefined && !isHttpUrl(url)) {
    throw new DatabridgeError(
      'DB_CONFIG_INVALID',
      `DATABRIDGE_URL: must be the http(s) address of the API, not "${withoutUserInfo(url)}"`,
    );
  }
  return {
    url,
    token: env['DATABRIDGE_TOKEN'] || undefined,
    tokenFile: env['DATABRIDGE_TOKEN_FILE'] || undefined,
    configHome: env['XDG_CONFIG_HOME'] || join(homedir(), '.config'),
  };
}

const fileIn = (env: Environment) => join(settingsIn(env).configHome, 'databridge', 'credentials.json');

/** @throws {DatabridgeError} DB_CONFIG_INVALID, saying what to do */
export function findConnection(env: Environment): Connection {
  const { url: givenUrl, token: inline, tokenFile } = settingsIn(env);
  const givenToken = inline ?? (tokenFile === undefined ? undefined : tokenIn(tokenFile));
  if (givenUrl !== undefined && givenToken !== undefined) return { url: givenUrl, token: givenToken };
  const stored = readStored(fileIn(env));
  const url = givenUrl ?? stored?.url;
  // A token is meant for one address: it is not sent to another.
  const token = givenToken ?? (stored?.url === url ? stored?.token : undefined);
  if (url !== undefined && token !== undefined) return { url, token };
  const missing = url === undefined ? 'where the API is' : `who you are at ${url}`;
  throw new DatabridgeError(
    'DB_CONFIG_INVALID',
    `It is not known ${missing}: "databridge login ${url ?? '<url>'}", or set DATABRIDGE_URL and DATABRIDGE_TOKEN`,
  );
}

function tokenIn(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new DatabridgeError('DB_CONFIG_INVALID', `DATABRIDGE_TOKEN_FILE cannot be read: ${messageOf(error)}`);
  }
}

/** @returns the file, which nobody else may read */
export function keepConnection(env: Environment, connection: Connection): string {
  const file = fileIn(env);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, `${JSON.stringify(connection)}\n`, { mode: 0o600 });
  // One that was there before keeps its mode.
  chmodSync(file, 0o600);
  return file;
}

/** @returns whether there was anything to remove */
export function forgetConnection(env: Environment): boolean {
  const file = fileIn(env);
  const isThere = readStored(file) !== undefined;
  rmSync(file, { force: true });
  return isThere;
}

function readStored(file: string): Connection | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return undefined;
    throw new DatabridgeError('DB_CONFIG_INVALID', `${file} can't be read: ${messageOf(error)}`);
  }
  if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) {
    throw new DatabridgeError(
      'DB_CONFIG_INVALID',
      `Other users may read ${file}, which contains a token; run "chmod 600 ${file}"`,
    );
  }
  try {
    const { url, token } = JSON.parse(text) as Record<string, unknown>;
    if (typeof url === 'string' && isHttpUrl(url) && typeof token === 'string' && token !== '') return { url, token };
    throw new TypeError('no address, or no token');
  } catch {
    // The content is not quoted: it contains a token.
    throw new DatabridgeError('DB_CONFIG_INVALID', `${file} is damaged: run "databridge login" to write it again`);
  }
}
