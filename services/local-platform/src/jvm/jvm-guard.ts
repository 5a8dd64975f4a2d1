/**
 * Runs one JVM for a parent process, and outlives the parent just long enough to end the JVM. The parent may end
 * without notice (SIGKILL, crash): then the IPC channel closes. `jvm.ts` starts it in a process group of its own, so
 * that Ctrl-C in the terminal doesn't end the broker while services are still draining.
 */
import { spawn } from 'node:child_process';
import { openSync, rmSync, writeSync } from 'node:fs';
import type { GuardOrder, GuardReport, GuardTask } from './jvm.ts';

const task = JSON.parse(process.argv[2] ?? '') as GuardTask;

const owner = process.ppid;
// Fails if there is one: then another process was quicker to start on the same data.
const pidFile = openSync(task.pidFile, 'wx');

const jvm = spawn(task.command, task.args, { stdio: ['ignore', 'inherit', 'inherit'] });

function report(message: GuardReport, then: () => void = () => undefined): void {
  // The parent may go away at any time; what it no longer hears needs no saying.
  if (process.connected) process.send?.(message, then);
}

/** Once the JVM is gone, only the open channel keeps this process alive. */
function leave(): void {
  if (process.connected) process.disconnect();
}

function end(order: GuardOrder): void {
  jvm.kill('SIGCONT'); // A frozen process would not see SIGTERM.
  jvm.kill(order === 'kill' ? 'SIGKILL' : 'SIGTERM');
  setTimeout(() => jvm.kill('SIGKILL'), task.graceMs).unref();
}

function parentGone(): void {
  end(task.removeWhenOrphaned === undefined ? 'graceful' : 'kill');
}

process.on('message', (order) => end(order as GuardOrder));
process.on('disconnect', parentGone);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end('graceful'));
if (!process.connected) parentGone();

if (jvm.pid !== undefined) writeSync(pidFile, `${owner} ${jvm.pid}`);
jvm.on('spawn', () => report({ type: 'started', pid: jvm.pid ?? 0 }));
jvm.on('error', (error) => {
  rmSync(task.pidFile, { force: true });
  report({ type: 'ended', reason: error.message }, leave);
});
jvm.on('exit', (code, signal) => {
  rmSync(task.pidFile, { force: true });
  if (!process.connected && task.removeWhenOrphaned !== undefined) {
    rmSync(task.removeWhenOrphaned, { recursive: true, force: true, maxRetries: 5 });
  }
  report({ type: 'ended', reason: signal ?? `exit code ${code}` }, leave);
});
