#!/usr/bin/env node
// Plain JavaScript, for any Node: it finds one that runs TypeScript, which is this repository's own if need be.
const main = new URL('../src/main.ts', import.meta.url);

if (process.features.typescript) {
  await import(main.href);
} else {
  const { spawnSync } = await import('node:child_process');
  const { createRequire } = await import('node:module');
  const ownNode = createRequire(import.meta.url).resolve('node/bin/node');
  const { status, error } = spawnSync(ownNode, [main.pathname, ...process.argv.slice(2)], { stdio: 'inherit' });
  if (error) throw error;
  process.exitCode = status ?? 1;
}
