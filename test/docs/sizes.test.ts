/** Files and folders that one can take in: at most 400 lines a file, and 15 source files a folder beside their tests. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const MAX_LINES = 400;
const MAX_SOURCE_FILES = 15;

/** Written by `npm run openapi` and `npm run schemas`. */
const GENERATED = [
  'schemas/src/api/types.ts',
  'services/portal/src/set-up/kinds.ts',
  'schemas/src/event/pinned-schemas.ts',
];

const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' });
const deleted = new Set(git('ls-files', '--deleted').split('\n'));
const files = git('ls-files', '--cached', '--others', '--exclude-standard', '--', '*.ts', '*.tsx', '*.js', '*.mjs')
  .trim()
  .split('\n')
  .filter((file) => !GENERATED.includes(file) && !deleted.has(file));

test('no file has more than 400 lines', () => {
  const long = files
    .map((file) => [file, readFileSync(join(root, file), 'utf8').split('\n').length - 1] as const)
    .filter(([, lines]) => lines > MAX_LINES);
  expect(files.length).toBeGreaterThan(600);
  expect(long).toEqual([]);
});

test('no folder has more than 15 source files', () => {
  const counts = new Map<string, number>();
  for (const file of files) {
    // One test a guarantee, or a fault: their number is not what makes a folder hard to read.
    if (/\.(test|contract\.test|peer\.test|fault)\.tsx?$/.test(file)) continue;
    counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  }
  expect([...counts].filter(([, count]) => count > MAX_SOURCE_FILES)).toEqual([]);
});
