import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { KINDS_FILE, kindsText } from './write-set-up-kinds.ts';
import { TYPES_FILE, typesText } from './write-types.ts';

test.each([
  ["the portal's set-up form has the fields of the schemas", KINDS_FILE, kindsText],
  ['the types for clients are those of docs/openapi.json', TYPES_FILE, typesText],
])('%s: npm run openapi', (_what, file, text) => {
  const at = (path: string) => fileURLToPath(new URL(`../../../../../${path}`, import.meta.url));
  const formatted = execFileSync(at('node_modules/.bin/biome'), ['format', '--stdin-file-path=written.ts'], {
    ...{ input: text(), encoding: 'utf8', cwd: at('.') },
  });
  expect(readFileSync(file, 'utf8')).toBe(formatted);
});
