/** Makes dist/ of the page: three static files, which the control plane serves as they are. */
import { copyFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

await build({
  ...{ root: here('.'), configFile: false, logLevel: 'error', publicDir: false },
  build: {
    ...{ outDir: here('dist'), emptyOutDir: true, target: 'es2022', minify: true, modulePreload: false },
    rolldownOptions: { input: here('src/main.ts'), output: { entryFileNames: 'page.js' } },
  },
});
await Promise.all(['page.html', 'page.css'].map((file) => copyFile(here(`src/${file}`), here(`dist/${file}`))));
