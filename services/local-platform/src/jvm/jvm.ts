import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { StopMode } from '../platform.ts';

/** The settings of the guard, which gets them as JSON in its only argument. */
export interface GuardTask {
  command: string;
  args: string[];
  /** The longest time in ms that a graceful shutdown may take before the JVM is killed. */
  graceMs: number;
  /** Holds the pids of owner and JVM while it runs: no other JVM may start on the same data while it exists. */
  pidFile: string;
  /** A directory to remove once parent and JVM are both gone. */
  removeWhenOrphaned?: string;
}
export type GuardOrder = StopMode;
export type GuardReport = { type: 'started'; pid: number } | { type: 'ended'; reason: string };

export interface JvmOptions extends GuardTask {
  /** Standard output and error are appended here. */
  logFile: string;
  cwd: string;
  env: Record<string, string | undefined>;
}

/** A running JVM, which ends at the latest with this process, however that ends. */
export interface Jvm {
  readonly pid: number;
  /** Resolves with the reason once the JVM is gone; never rejects. */
  readonly ended: Promise<string>;
  stop(mode: StopMode): Promise<void>;
  signal(signal: NodeJS.Signals): void;
}

const guardFile = fileURLToPath(new URL('jvm-guard.ts', import.meta.url));

/** @throws Error when the program can't be started at all */
export async function startJvm({ logFile, cwd, env, ...task }: JvmOptions): Promise<Jvm> {
  const log = openSync(logFile, 'a');
  const guard = fork(guardFile, [JSON.stringify(task)], {
    cwd,
    env,
    detached: true,
    // The caller's own flags (such as --inspect) are not the guard's.
    execArgv: [],
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);

  let hasEnded = false;
  const ended = new Promise<string>((resolve) => {
    let reason = 'its guard is gone';
    guard.on('message', (message) => {
      const report = message as GuardReport;
      if (report.type === 'ended') reason = report.reason;
    });
    guard.once('exit', () => {
      hasEnded = true;
      resolve(reason);
    });
  });

  const first = await Promise.race([
    once(guard, 'message').then(([message]) => message as GuardReport),
    ended.then((reason): GuardReport => ({ type: 'ended', reason })),
  ]);
  if (first.type === 'ended') throw new Error(`${task.command} did not start: ${first.reason}`);
  const { pid } = first;

  return {
    pid,
    ended,
    async stop(mode) {
      if (!hasEnded && guard.connected) guard.send(mode satisfies GuardOrder, () => undefined);
      await ended;
    },
    signal(signal) {
      if (!hasEnded) process.kill(pid, signal);
    },
  };
}
