import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { COMPILE_CACHE, SERVICE_NODE_FLAGS } from '@databridge/kernel/settings/node-flags';

const FIRST_RESTART_MS = 1_000;
const MAX_RESTART_MS = 30_000;
/** A child that ran this long started well: its next failure counts as the first. */
const HEALTHY_AFTER_MS = 60_000;
const POLL_MS = 100;

/** @param failuresInRow from 1; the delays are 1 s, 2 s, 4 s, … 30 s */
export function restartDelayMs(failuresInRow: number): number {
  return Math.min(FIRST_RESTART_MS * 2 ** (failuresInRow - 1), MAX_RESTART_MS);
}

export interface SupervisedOptions {
  name: string;
  /** The file that Node runs. */
  main: URL;
  env: Record<string, string | undefined>;
  /** Tells whether the child is ready. */
  isReady(): Promise<boolean>;
  /** Receives each line of the child's output, and notes on its restarts. */
  onLine(line: string): void;
  /** True if a spare process has the packages loaded for the next {@link Supervised.replace}, which costs 60 MB. */
  hasSpare?: boolean;
}

const endWithParent = new URL('end-with-parent.ts', import.meta.url).href;
const warmStart = new URL('warm-start.ts', import.meta.url).href;

/**
 * Keeps one child process running until `stop`:
 *
 *     starting ──isReady──▶ running ──ends──▶ waiting (back-off) ──▶ starting      stop(): SIGTERM ──▶ stopped
 *         └──ends before it was ever ready──▶ failed                               kill(): SIGKILL
 *
 * A child that was never ready is not started again: its settings are wrong or its port is taken, and a restart
 * corrects neither.
 */
export class Supervised {
  readonly #options: SupervisedOptions;
  #child: ChildProcess | undefined;
  /** Waits for its turn: see warm-start.ts. */
  #spare: ChildProcess | undefined;
  #restart: NodeJS.Timeout | undefined;
  #failuresInRow = 0;
  #isStopping = false;
  #isReplacing = false;
  /** Monotonic time of the latest {@link replace}; undefined once the new child is ready. */
  #replacedAtMs: number | undefined;
  #wasReady = false;
  #lastFailure: string | undefined;
  readonly #ready = Promise.withResolvers<void>();
  readonly #stopped = Promise.withResolvers<void>();

  constructor(options: SupervisedOptions) {
    this.#options = options;
    // A rejection reaches those who await `ready`; without this, it would end the process if nobody does.
    this.#ready.promise.catch(() => undefined);
  }

  /** Resolves once the child is ready for the first time; rejects, saying why, when it ends before that. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  start(): void {
    const startedAtMs = performance.now();
    const spare = this.#spare;
    this.#spare = undefined;
    const child = spare?.connected ? spare : this.#fork([]);
    if (child === spare) child.send('start');
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface(stream).on('line', (line) => this.#read(line));
    }
    // After its last line was read: the line may say why it ended.
    child.once('close', (code, signal) => {
      this.#child = undefined;
      if (performance.now() - startedAtMs > HEALTHY_AFTER_MS) this.#failuresInRow = 0;
      this.#onEnd(signal ?? `exit code ${code}`);
    });
    if (!this.#wasReady || this.#replacedAtMs !== undefined) void this.#waitUntilReady(child);
  }

  /** @param preloaded modules that Node loads before the main one */
  #fork(preloaded: readonly string[]): ChildProcess {
    const { main, env } = this.#options;
    return fork(main, [], {
      env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...env },
      execArgv: [...SERVICE_NODE_FLAGS, ...[endWithParent, ...preloaded].flatMap((file) => ['--import', file])],
      // A group of its own: Ctrl-C in the terminal reaches the supervisor alone, which then ends all in order.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
  }

  #read(line: string): void {
    this.#lastFailure = failureIn(line) ?? this.#lastFailure;
    this.#options.onLine(line);
  }

  async #waitUntilReady(child: ChildProcess): Promise<void> {
    while (this.#child === child && !(await this.#options.isReady().catch(() => false))) await delay(POLL_MS);
    // Another program may answer at the port while the child ends because of it.
    if (this.#child !== child || child.exitCode !== null) return;
    this.#wasReady = true;
    this.#ready.resolve();
    if (this.#options.hasSpare && !this.#isStopping) this.#spare ??= this.#fork([warmStart]);
    if (this.#replacedAtMs === undefined) return;
    const tookMs = performance.now() - this.#replacedAtMs;
    this.#replacedAtMs = undefined;
    this.#options.onLine(`restarted: ready after ${(tookMs / 1_000).toFixed(1)} s`);
  }

  #onEnd(how: string): void {
    if (this.#isStopping) {
      this.#options.onLine(`stopped (${how})`);
      this.#stopped.resolve();
      return;
    }
    if (this.#isReplacing) {
      this.#isReplacing = false;
      this.start();
      return;
    }
    if (!this.#wasReady) {
      const why = this.#lastFailure === undefined ? how : `${this.#lastFailure} (${how})`;
      this.#ready.reject(new Error(`${this.#options.name} did not start: ${why}`));
      return;
    }
    this.#failuresInRow += 1;
    const delayMs = restartDelayMs(this.#failuresInRow);
    this.#options.onLine(`ended unexpectedly (${how}); starting it again in ${delayMs / 1_000} s`);
    this.#restart = setTimeout(() => this.start(), delayMs);
  }

  /**
   * Restarts the child at once, for changed source, even one that failed to start. A line says how long it took until the
   * new child was ready.
   * @param graceMs the longest time in ms that its graceful shutdown may take
   */
  replace(graceMs: number): void {
    if (this.#isStopping) return;
    if (this.#isReplacing) {
      // The spare may have loaded what changed once more.
      this.#endSpare();
      return;
    }
    this.#replacedAtMs = performance.now();
    clearTimeout(this.#restart);
    const child = this.#child;
    if (!child) {
      this.start();
      return;
    }
    this.#isReplacing = true;
    child.kill('SIGTERM');
    if (this.#spare?.connected) this.#spare.send('load');
    setTimeout(() => child.kill('SIGKILL'), graceMs).unref();
  }

  #endSpare(): void {
    this.#spare?.kill('SIGKILL');
    this.#spare = undefined;
  }

  /** Shuts the child down gracefully, for at most `graceMs`; resolves when it has ended. */
  async stop(graceMs = Number.POSITIVE_INFINITY): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#restart);
    this.#endSpare();
    const child = this.#child;
    if (!child) return;
    child.kill('SIGTERM');
    const limit = Number.isFinite(graceMs) ? setTimeout(() => child.kill('SIGKILL'), graceMs) : undefined;
    await this.#stopped.promise;
    clearTimeout(limit);
  }

  kill(): void {
    this.#isStopping = true;
    clearTimeout(this.#restart);
    this.#endSpare();
    this.#child?.kill('SIGKILL');
  }
}

/** Returns the message of a log line of level `fatal`, or of an error that Node printed as it ended. */
export function failureIn(line: string): string | undefined {
  if (!line.startsWith('{')) return /^\w*Error(?: \[\w+\])?: (.*)$/.exec(line)?.[1];
  try {
    const { level, msg } = JSON.parse(line) as { level?: unknown; msg?: unknown };
    return level === 'fatal' && typeof msg === 'string' ? msg.replaceAll(/\s*\n\s*/g, ' ') : undefined;
  } catch {
    return undefined;
  }
}
