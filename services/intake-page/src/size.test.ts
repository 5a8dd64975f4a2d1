/** Tests that the page is small enough to be reviewed, and to load quickly on a telephone. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const MAX_BYTES = 12 * 1_024;
const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

test('the page is at most 12 KiB, gzipped', () => {
  execFileSync(process.execPath, [at('../build.ts')]);
  const files = ['page.html', 'page.css', 'page.js'].map((name) => readFileSync(at(`../dist/${name}`)));
  const bytes = files.reduce((sum, file) => sum + gzipSync(file, { level: 9 }).length, 0);
  expect(bytes).toBeLessThanOrEqual(MAX_BYTES);
});

test('its markup has no script or style of its own, which the policy would refuse', () => {
  const html = readFileSync(at('./page.html'), 'utf8');
  expect(html).not.toMatch(/<style|style=|\son\w+=|javascript:|<script(?![^>]*src=)/);
});
