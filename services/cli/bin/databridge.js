#!/usr/bin/env node
// Plain JavaScript, for any Node: it finds one that runs TypeScript, which is this repository's own if need be.
import { fileURLToPath } from 'node:url';

const main = new URL('../src/main.ts', import.meta.url);

if (process.features.typescript) {
  // What Node makes of the source is kept, as for the services: the next start takes half as long.
  const { enableCompileCache } = await import('node:module');
  enableCompileCache?.(
    process.env.NODE_COMPILE_CACHE ?? fileURLToPath(new URL('../../../node_modules/.cache/compiled', import.meta.url)),
  );
  await import(main.href);
} else {
  const { spawnSync } = await import('node:child_process');
  const { createRequire } = await import('node:module');
  const ownNode = createRequire(import.meta.url).resolve('node/bin/node');
  const { status, error } = spawnSync(ownNode, [main.pathname, ...process.argv.slice(2)], { stdio: 'inherit' });
  if (error) throw error;
  process.exitCode = status ?? 1;
}
