import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const cacheDir = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'databridge-events', 'peers');

/** Time enough to fetch a peer over a slow line. */
export const FETCH_TIMEOUT_MS = 900_000;

/**
 * A directory of the cache, filled once. It is complete or absent: a fill that was broken off is done again. Test
 * files run one after the other (`npm run test:peers`), so nobody else fills it meanwhile.
 * @param name with the version in it
 * @throws Error that says what could not be had, and how it was asked for
 */
export async function cached(name: string, fill: (dir: string) => Promise<void>): Promise<string> {
  const home = join(cacheDir, name);
  if (existsSync(home)) return home;
  await mkdir(cacheDir, { recursive: true });
  const staging = await mkdtemp(join(cacheDir, `.${name}-`));
  try {
    await fill(staging);
    await rename(staging, home);
    return home;
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw new Error(`The peer "${name}" can't be had: ${(error as Error).message}`, { cause: error });
  }
}

/** @throws Error with the last lines that the command printed */
export async function command(
  program: string,
  args: readonly string[],
  cwd?: string,
  { timeoutMs = FETCH_TIMEOUT_MS, env = {} }: { timeoutMs?: number; env?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  try {
    const { stdout } = await run(program, args, {
      ...(cwd && { cwd }),
      env: { ...process.env, ...env },
      maxBuffer: 64 << 20,
      timeout: timeoutMs,
    });
    return stdout;
  } catch (error) {
    const { stderr = '', stdout = '', message } = error as Error & { stderr?: string; stdout?: string };
    throw new Error(`${program} ${args.slice(0, 4).join(' ')} failed: ${(stderr || stdout || message).slice(-1_500)}`);
  }
}
