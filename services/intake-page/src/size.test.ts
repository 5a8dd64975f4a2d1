/** Tests that the page is small enough to be reviewed, and to load quickly on a phone. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const MAX_BYTES = { first: 12 * 1_024, setup: 6 * 1_024 };
const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const built = (name: string) => readFileSync(at(`../dist/${name}`));
const gzipped = (names: readonly string[]) =>
  names.reduce((sum, name) => sum + gzipSync(built(name), { level: 9 }).length, 0);

test('what every link loads is at most 12 KiB gzipped, and the script for set-ups 6 KiB', () => {
  execFileSync(process.execPath, [at('../build.ts')]);
  const first = ['page.css', 'page.html', 'page.js'];
  const [setup = '', ...others] = readdirSync(at('../dist')).filter((name) => !first.includes(name));
  expect([setup, others]).toEqual([expect.stringMatching(/^setup-[\w-]+\.js$/), []]);
  expect(gzipped(first)).toBeLessThanOrEqual(MAX_BYTES.first);
  expect(gzipped([setup])).toBeLessThanOrEqual(MAX_BYTES.setup);
  // The second is loaded for set-ups only, from a fixed address.
  expect(String(built('page.js')).match(/import\([^)]*\)/g)).toEqual([`import(\`./${setup}\`)`]);
});

test('its markup has no script or style of its own, which the policy would refuse', () => {
  const html = readFileSync(at('./page.html'), 'utf8');
  expect(html).not.toMatch(/<style|style=|\son\w+=|javascript:|<script(?![^>]*src=)/);
});
