/** Where the API is and who we are: from the environment, else as `databridge login` has kept it. */
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { readConfig } from '@databridge/kernel/config';
import { DatabridgeError, messageOf } from '@databridge/kernel/errors';
import { readSetting } from '@databridge/kernel/kafka/settings';
import { z } from 'zod';
import type { Connection } from './api/api-client.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const httpUrl = z.url({ protocol: /^https?$/, error: 'must be the http(s) address of the API' });

export const cliVariables = z.object({
  /** Where the control plane's API is; unset: where `databridge login` said. */
  DATABRIDGE_URL: httpUrl.optional(),
  /** Who we are; unset: as `databridge login` kept it for that address. */
  DATABRIDGE_TOKEN: z.string().optional(),
  /** A file that holds it, as containers are given secrets. */
  DATABRIDGE_TOKEN_FILE: z.string().optional(),
  /** Holds `databridge/credentials.json`. */
  XDG_CONFIG_HOME: z.string().default(join(homedir(), '.config')),
});

const kept = z.object({ url: httpUrl, token: z.string().min(1) });

const fileIn = (env: Environment) =>
  join(readConfig(cliVariables, env).XDG_CONFIG_HOME, 'databridge', 'credentials.json');

/** @throws {DatabridgeError} DB_CONFIG_INVALID, saying what to do */
export function findConnection(env: Environment): Connection {
  const {
    DATABRIDGE_URL: givenUrl,
    DATABRIDGE_TOKEN: inline,
    DATABRIDGE_TOKEN_FILE: file,
  } = readConfig(cliVariables, env);
  const givenToken = inline ?? (file === undefined ? undefined : readSetting('DATABRIDGE_TOKEN_FILE', file).trim());
  if (givenUrl !== undefined && givenToken !== undefined) return { url: givenUrl, token: givenToken };
  const stored = readStored(fileIn(env));
  const url = givenUrl ?? stored?.url;
  // A token is meant for one address: it is not shown to another.
  const token = givenToken ?? (stored?.url === url ? stored?.token : undefined);
  if (url !== undefined && token !== undefined) return { url, token };
  const missing = url === undefined ? 'where the API is' : `who you are at ${url}`;
  throw new DatabridgeError(
    'DB_CONFIG_INVALID',
    `It is not known ${missing}: "databridge login ${url ?? '<url>'}", or set DATABRIDGE_URL and DATABRIDGE_TOKEN`,
  );
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

/** @returns whether there was anything to forget */
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
    throw new DatabridgeError('DB_CONFIG_INVALID', `Others may read ${file}, which holds a token: chmod 600 it`);
  }
  try {
    return kept.parse(JSON.parse(text));
  } catch {
    // Nothing of it is quoted: it holds a token.
    throw new DatabridgeError('DB_CONFIG_INVALID', `${file} is damaged: "databridge login" writes it anew`);
  }
}
