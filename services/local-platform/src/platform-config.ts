import { homedir } from 'node:os';
import { join } from 'node:path';

type Environment = Record<string, string | undefined>;

/** Fetched programs: may be deleted at any time, and are fetched again. */
export function defaultCacheDir(env: Environment): string {
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'databridge-events');
}

/** What the embedded Kafka and registry of `npm start` keep. */
export function defaultDataDir(env: Environment): string {
  return join(env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'), 'databridge-events');
}
