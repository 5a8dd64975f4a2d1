/**
 * Builds the page into dist/: three static files that every link gets, and the script for set-ups, which is loaded after
 * its code was accepted. The control plane serves them unchanged.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The page never asks jose to compress, and the code for it is 3 % of the page. If it were asked, sealing would fail. */
const withoutCompression: Plugin = {
  name: 'without-compression',
  load(id) {
    if (!/\/jose\/.*\/deflate\.js$/.test(id)) return null;
    return 'export const validateZip = () => undefined; export { validateZip as compress, validateZip as decompress };';
  },
};

await build({
  ...{ root: here('.'), configFile: false, logLevel: 'error', publicDir: false, plugins: [withoutCompression] },
  build: {
    ...{ outDir: here('dist'), emptyOutDir: true, target: 'es2022', minify: true },
    // As a library: without Vite's helper that preloads scripts.
    lib: { entry: here('src/main.ts'), formats: ['es'] },
    rolldownOptions: {
      // The page itself exports what the other script shares with it.
      preserveEntrySignatures: false,
      output: { minify: true, entryFileNames: 'page.js', chunkFileNames: 'setup-[hash].js' },
    },
  },
});
for (const [file, blank, by] of [
  ['page.html', /\n\s*/g, ''],
  ['page.css', /\s*([{};:,])\s*/g, '$1'],
] as const) {
  await writeFile(here(`dist/${file}`), (await readFile(here(`src/${file}`), 'utf8')).replaceAll(blank, by));
}
