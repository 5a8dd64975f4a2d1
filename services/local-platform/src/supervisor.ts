import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { COMPILE_CACHE, SERVICE_NODE_FLAGS } from '@databridge/kernel/node-flags';

const FIRST_RESTART_MS = 1_000;
const MAX_RESTART_MS = 30_000;
/** Who lived that long has started well: what ends it later is another failure. */
const HEALTHY_AFTER_MS = 60_000;

/** @param failuresInRow 1 after the first: 1 s, 2 s, 4 s, … 30 s */
export function restartDelayMs(failuresInRow: number): number {
  return Math.min(FIRST_RESTART_MS * 2 ** (failuresInRow - 1), MAX_RESTART_MS);
}

export interface SupervisedOptions {
  name: string;
  /** The file that Node runs. */
  main: URL;
  env: Record<string, string | undefined>;
  /** Gets each line that the child writes, and what happens to it. */
  onLine(line: string): void;
}

const endWithParent = new URL('end-with-parent.ts', import.meta.url).href;

/**
 * Keeps one child process running until `stop`:
 *
 *     running ──ends──▶ waiting (back-off) ──▶ running      stop(): SIGTERM ──▶ stopped      kill(): SIGKILL
 */
export class Supervised {
  readonly #options: SupervisedOptions;
  #child: ChildProcess | undefined;
  #restart: NodeJS.Timeout | undefined;
  #failuresInRow = 0;
  #isStopping = false;
  #markStopped: () => void = () => undefined;
  readonly #stopped = new Promise<void>((resolve) => {
    this.#markStopped = resolve;
  });

  constructor(options: SupervisedOptions) {
    this.#options = options;
  }

  start(): void {
    const { main, env, onLine } = this.#options;
    const startedAtMs = performance.now();
    const child = fork(main, [], {
      env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...env },
      execArgv: [...SERVICE_NODE_FLAGS, '--import', endWithParent],
      // A group of its own: Ctrl-C in the terminal reaches the supervisor alone, which then ends all in order.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) if (stream) createInterface(stream).on('line', onLine);
    child.once('exit', (code, signal) => {
      this.#child = undefined;
      if (performance.now() - startedAtMs > HEALTHY_AFTER_MS) this.#failuresInRow = 0;
      this.#ended(signal ?? `exit code ${code}`);
    });
  }

  #ended(how: string): void {
    if (this.#isStopping) {
      this.#options.onLine(`stopped (${how})`);
      this.#markStopped();
      return;
    }
    this.#failuresInRow += 1;
    const delayMs = restartDelayMs(this.#failuresInRow);
    this.#options.onLine(`ended unexpectedly (${how}); starting it again in ${delayMs / 1_000} s`);
    this.#restart = setTimeout(() => this.start(), delayMs);
  }

  /** Lets it finish what is in flight; resolves when it is gone. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#restart);
    if (!this.#child) return;
    this.#child.kill('SIGTERM');
    await this.#stopped;
  }

  kill(): void {
    this.#isStopping = true;
    clearTimeout(this.#restart);
    this.#child?.kill('SIGKILL');
  }
}
