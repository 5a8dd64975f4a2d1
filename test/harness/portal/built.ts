import { execFile, execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** @returns the built portal's directory. By a process of its own: jest's modules are not those that a bundler expects. */
export async function portalDirectory(): Promise<string> {
  const build = createRequire(import.meta.url).resolve('@databridge/portal/build/build');
  const { stdout } = await promisify(execFile)(process.execPath, [build]);
  return stdout.trim();
}

let isBuilt = false;

/** As `npm run build` does. */
export function buildSetUpPage(): void {
  if (isBuilt) return;
  const file = fileURLToPath(new URL('../../../services/intake-page/build.ts', import.meta.url));
  execFileSync(process.execPath, [file], { stdio: ['ignore', 'inherit', 'inherit'] });
  isBuilt = true;
}
