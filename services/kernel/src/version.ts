import { readFileSync } from 'node:fs';

/** The release of the services: all packages of the repository have the same. */
export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
