/**
 * Builds the portal: `node services/portal/src/build/build.ts [directory]`. Without a directory, the result is cached
 * under node_modules/.cache and rebuilt only after a source changed: `npm start` needs no separate step.
 */
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cache = join(root, 'node_modules', '.cache', 'portal');
const PAGE = 'index.html';

/** @returns the directory that contains the built portal, for `PORTAL_DIR` */
export async function builtPortal(): Promise<string> {
  const directory = join(cache, digestOfSources());
  if (existsSync(join(directory, PAGE))) return directory;
  const unfinished = `${directory}.${process.pid}`;
  await buildPortal(unfinished);
  await mkdir(cache, { recursive: true });
  // Another process may have been faster.
  await rename(unfinished, directory).catch(async (error: unknown) => {
    if (!existsSync(join(directory, PAGE))) throw error;
    await rm(unfinished, { recursive: true });
  });
  await removeOthers(directory);
  return directory;
}

async function buildPortal(directory: string): Promise<void> {
  // Loaded here: nothing but a build needs it, and it takes longer than all else.
  const { build } = await import('vite');
  await build({
    ...{ root, base: '/portal/', configFile: false, logLevel: 'error' },
    // Whatever NODE_ENV is here: a test's would build what developers debug with.
    define: { 'process.env.NODE_ENV': '"production"' },
    oxc: { jsx: { runtime: 'automatic', development: false } },
    build: {
      ...{ outDir: directory, emptyOutDir: true, target: 'es2023', cssCodeSplit: false, sourcemap: false },
      // A data: URL would break the content security policy; the polyfill writes what every browser now does itself.
      ...{ manifest: true, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
    },
  });
  compressFiles(directory);
}

/** Writes a compressed copy beside each file, so that no control plane compresses them at its start. */
function compressFiles(directory: string): void {
  for (const name of globSync('**/*.{html,js,css,svg}', { cwd: directory })) {
    const path = join(directory, name);
    const plain = readFileSync(path);
    writeFileSync(`${path}.gz`, gzipSync(plain, { level: 9 }));
    writeFileSync(`${path}.br`, brotliCompressSync(plain));
  }
}

function digestOfSources(): string {
  const files = globSync(['index.html', 'package.json', '{src,public}/**/*.*'], { cwd: root })
    .filter((name) => !name.includes('.test.'))
    .sort();
  const lock = join(root, '..', '..', 'package-lock.json');
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(join(root, file)));
  if (existsSync(lock)) hash.update(readFileSync(lock));
  return hash.digest('hex').slice(0, 16);
}

async function removeOthers(kept: string): Promise<void> {
  const names = await readdir(cache);
  // Those with a dot are being built.
  const old = names.filter((name) => !name.includes('.')).map((name) => join(cache, name));
  await Promise.all(old.filter((path) => path !== kept).map((path) => rm(path, { recursive: true, force: true })));
}

if (import.meta.main) {
  const [, , directory] = process.argv;
  if (directory === undefined) process.stdout.write(`${await builtPortal()}\n`);
  else await buildPortal(directory);
}
