import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface PeerOptions {
  readonly program: string;
  readonly args: readonly string[];
  /** It is ready when it accepts connections here. */
  readonly port: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly readyWithinMs?: number;
}

/** Starts a peer and waits until it accepts connections. Ended with the test file. @throws Error with its last words */
export async function startPeer({ program, args, port, env = {}, readyWithinMs = 60_000 }: PeerOptions): Promise<void> {
  const child = spawn(program, args, {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: a script's Java goes with it.
    detached: true,
  });
  started.add(child);
  let words = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      words = (words + chunk.toString()).slice(-3_000);
    });
  }
  let failure: string | undefined;
  child.once('error', (error) => {
    failure = error.message;
  });
  child.once('exit', (code) => {
    failure ??= `it ended with ${code}`;
  });
  const deadlineMs = performance.now() + readyWithinMs;
  while (!(await accepts(port))) {
    if (performance.now() > deadlineMs) failure ??= `it accepted no connection within ${readyWithinMs} ms`;
    if (failure !== undefined) throw new Error(`${program}: ${failure}. ${words}`);
    await delay(50);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

const started = new Set<ChildProcess>();

afterAll(async () => {
  await Promise.all(
    [...started].map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
      const exited = once(child, 'exit');
      process.kill(-child.pid, 'SIGKILL');
      await exited;
    }),
  );
});
