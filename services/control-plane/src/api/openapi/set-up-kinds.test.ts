import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { KINDS_FILE, kindsText } from './write-set-up-kinds.ts';

test("the portal's set-up form has the fields of the schemas: npm run openapi", () => {
  const at = (path: string) => fileURLToPath(new URL(`../../../../../${path}`, import.meta.url));
  const formatted = execFileSync(at('node_modules/.bin/biome'), ['format', '--stdin-file-path=kinds.ts'], {
    ...{ input: kindsText(), encoding: 'utf8', cwd: at('.') },
  });
  expect(readFileSync(KINDS_FILE, 'utf8')).toBe(formatted);
});
