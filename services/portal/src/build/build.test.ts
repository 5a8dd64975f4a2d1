/** Tests the built portal: its size, and that it runs under its content security policy. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';

const KIB = 1_024;
const FIRST_SCREEN_KIB = 130;
const LAZY_CHUNK_KIB = 90;

const run = (file: string) =>
  execFileSync(process.execPath, [fileURLToPath(new URL(file, import.meta.url))], { encoding: 'utf8' });
const directory = run('./build.ts').trim();
const page = readFileSync(join(directory, 'index.html'), 'utf8');
const manifest = JSON.parse(readFileSync(join(directory, '.vite', 'manifest.json'), 'utf8')) as Manifest;

type Manifest = Readonly<
  Record<
    string,
    { readonly file: string; readonly imports?: readonly string[]; readonly dynamicImports?: readonly string[] }
  >
>;

/** The files that a chunk needs before it can run, its own included. */
function filesOf(key: string, seen = new Set<string>()): Set<string> {
  const { file = '', imports = [] } = manifest[key] ?? {};
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const one of imports) filesOf(one, seen);
  return seen;
}

const gzippedKib = (files: Iterable<string>) =>
  [...files].reduce((sum, file) => sum + gzipSync(readFileSync(join(directory, file))).length / KIB, 0);
const styles = Object.values(manifest).flatMap(({ file }) => (file.endsWith('.css') ? [file] : []));
const lazy = Object.keys(manifest).filter((key) => manifest[key]?.file.endsWith('.js') && key !== 'index.html');

test('whichever page comes first, it is on the screen within the budget', () => {
  const pages = manifest['index.html']?.dynamicImports ?? [];
  expect(pages.length).toBeGreaterThan(5);
  for (const page of pages) {
    const files = new Set([...styles, ...filesOf('index.html'), ...filesOf(page)]);
    expect([page, gzippedKib(files) < FIRST_SCREEN_KIB]).toEqual([page, true]);
  }
});

test('each part that is loaded later stays within its budget', () => {
  for (const key of lazy) {
    const file = manifest[key]?.file ?? '';
    expect([file, gzippedKib([file]) < LAZY_CHUNK_KIB]).toEqual([file, true]);
  }
});

test('each file has its compressed forms beside it', () => {
  for (const name of ['index.html', ...styles, ...lazy.map((key) => manifest[key]?.file ?? '')]) {
    const read = (suffix: string) => readFileSync(join(directory, `${name}${suffix}`));
    expect(gunzipSync(read('.gz')).equals(read(''))).toBe(true);
    expect(brotliDecompressSync(read('.br')).equals(read(''))).toBe(true);
  }
});

test('the page contains no script, style or handler of its own, and names nothing elsewhere', () => {
  expect(page).not.toMatch(/<style|style=|\son\w+=|<script(?![^>]*\ssrc=)/);
  expect([...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url)).toEqual(
    expect.not.arrayContaining([expect.stringMatching(/^(https?:)?\/\//)]),
  );
});
