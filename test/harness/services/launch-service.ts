import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { COMPILE_CACHE } from '@databridge/kernel/settings/node-flags';

export type ServiceName = 'fan-out' | 'delivery' | 'control-plane';

/** A service that was just started, whatever it runs in. */
export interface LaunchedService {
  readonly pid: number;
  /** What it writes. */
  readonly output: readonly Readable[];
  /** Exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /** Signals arrive in the order of the calls. */
  signal(signal: NodeJS.Signals): void;
}

/** Set by jest's configuration for tests of the built image. */
declare const servicesRunIn: string | undefined;

/** @param env all that it sees of an environment, `PATH` apart */
export async function launchService(name: ServiceName, env: Record<string, string>): Promise<LaunchedService> {
  if (typeof servicesRunIn === 'undefined') return launchOnNode(name, env);
  const { launchInImage } = await import('./launch-in-image.ts');
  return launchInImage(servicesRunIn, name, env);
}

const endWithParent = new URL('../../../services/local-platform/src/end-with-parent.ts', import.meta.url).href;

function launchOnNode(name: ServiceName, env: Record<string, string>): LaunchedService {
  const main = new URL(`../../../services/${name}/src/main.ts`, import.meta.url);
  const child = fork(main, [], {
    execArgv: ['--import', endWithParent],
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: COMPILE_CACHE, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  return {
    pid: child.pid ?? 0,
    output: [child.stdout, child.stderr].filter((stream) => stream !== null),
    // Not `exit`: its last words may come after that.
    exited: once(child, 'close').then(([code, signal]) => (signal ?? code) as number | NodeJS.Signals),
    signal: (signal) => void child.kill(signal),
  };
}
