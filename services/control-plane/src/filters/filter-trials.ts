import { Worker } from 'node:worker_threads';
import { DatabridgeError } from '@databridge/kernel/errors';
import { systemClock, type Timer } from '@databridge/kernel/time/clock';
import type { FilterTrial, ThreadMessage, TrialAnswer } from './filter-trial-thread.ts';

export interface TrialLimits {
  readonly maxThreads: number;
  /** The limit of trials that wait for a thread; one more is refused. */
  readonly maxWaiting: number;
  /** The time limit of one trial, once it has a thread. Its own limits keep an evaluation within a few milliseconds. */
  readonly timeLimitMs: number;
  /** A thread without a trial is ended after this time; it takes about 15 MiB. */
  readonly idleMs: number;
}

const LIMITS: TrialLimits = { maxThreads: 2, maxWaiting: 32, timeLimitMs: 2_000, idleMs: 30_000 };

const RESOURCES = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 };
const THREAD = new URL('./filter-trial-thread.ts', import.meta.url);

interface Waiting {
  readonly trial: FilterTrial;
  readonly settle: PromiseWithResolvers<TrialAnswer>;
}

/**
 * Tries filters off the event loop, in threads that are ended if a trial takes too long. Customers write the filters;
 * if a mistake in its limits makes one expensive, it must not slow down other users of the API.
 */
export class FilterTrials {
  readonly #limits: TrialLimits;
  readonly #thread: URL;
  readonly #threads = new Set<TrialThread>();
  readonly #waiting: Waiting[] = [];

  /** @param thread the module that a thread runs; tests use another one */
  constructor(limits: Partial<TrialLimits> = {}, thread = THREAD) {
    this.#limits = { ...LIMITS, ...limits };
    this.#thread = thread;
  }

  /** @throws {DatabridgeError} DB_TRIALS_BUSY, DB_TRIAL_STOPPED, DB_INTERNAL */
  async run(trial: FilterTrial): Promise<Exclude<TrialAnswer, { kind: 'broken' }>> {
    const { maxWaiting } = this.#limits;
    const settle = Promise.withResolvers<TrialAnswer>();
    const thread = this.#freeThread();
    if (thread !== undefined) this.#give(thread, { trial, settle });
    else if (this.#waiting.length < maxWaiting) this.#waiting.push({ trial, settle });
    else {
      throw new DatabridgeError(
        'DB_TRIALS_BUSY',
        `${maxWaiting} filter trials are already queued; try again in a second`,
      );
    }
    const answer = await settle.promise;
    if (answer.kind === 'broken') throw new DatabridgeError('DB_INTERNAL', `Filter trial failed: ${answer.message}`);
    return answer;
  }

  async stop(): Promise<void> {
    for (const { settle } of this.#waiting.splice(0)) settle.reject(stopped('the control plane stops'));
    await Promise.all([...this.#threads].map((thread) => thread.end('the control plane stops')));
  }

  #freeThread(): TrialThread | undefined {
    const free = [...this.#threads].find((thread) => thread.isFree);
    if (free !== undefined || this.#threads.size >= this.#limits.maxThreads) return free;
    const thread = new TrialThread(this.#thread, this.#limits, () => {
      this.#threads.delete(thread);
      this.#startNext();
    });
    this.#threads.add(thread);
    return thread;
  }

  #give(thread: TrialThread, { trial, settle }: Waiting): void {
    const done = thread.run(trial).then(settle.resolve, settle.reject);
    void done.then(() => this.#startNext());
  }

  #startNext(): void {
    while (this.#waiting.length > 0) {
      const thread = this.#freeThread();
      if (thread === undefined) return;
      this.#give(thread, this.#waiting.shift() as Waiting);
    }
  }
}

const stopped = (why: string) => new DatabridgeError('DB_TRIAL_STOPPED', `The trial of the filter was stopped: ${why}`);

/** starting → free → busy → free … → ended. Only a thread that has not ended runs trials. */
class TrialThread {
  readonly #worker: Worker;
  readonly #limits: TrialLimits;
  readonly #ready = Promise.withResolvers<void>();
  #running: PromiseWithResolvers<TrialAnswer> | undefined;
  #idleTimer: Timer | undefined;
  #isEnded = false;

  constructor(thread: URL, limits: TrialLimits, onEnd: () => void) {
    this.#limits = limits;
    // The environment is not passed on: it may contain keys, and filters do not need it.
    this.#worker = new Worker(thread, { env: {}, resourceLimits: RESOURCES });
    this.#worker.unref();
    this.#ready.promise.catch(() => undefined);
    this.#worker.on('message', (message: ThreadMessage) => {
      if (message === 'ready') this.#ready.resolve();
      else this.#running?.resolve(message);
    });
    this.#worker.on('error', (error: NodeJS.ErrnoException) => {
      const isMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      const why = isMemory ? `it needed more than ${RESOURCES.maxOldGenerationSizeMb} MiB of memory` : error.message;
      void this.end(why);
    });
    this.#worker.on('exit', () => {
      void this.end('its thread ended');
      onEnd();
    });
  }

  get isFree(): boolean {
    return !this.#isEnded && this.#running === undefined;
  }

  async run(trial: FilterTrial): Promise<TrialAnswer> {
    const running = Promise.withResolvers<TrialAnswer>();
    // The thread may end before it is ready, while no caller waits for this yet.
    running.promise.catch(() => undefined);
    this.#running = running;
    this.#idleTimer?.cancel();
    let limit: Timer | undefined;
    try {
      await this.#ready.promise;
      const { timeLimitMs } = this.#limits;
      const late = `it took more than ${timeLimitMs} ms; shorten the filter or the event`;
      limit = systemClock.after(timeLimitMs, () => void this.end(late));
      this.#worker.postMessage(trial);
      return await running.promise;
    } finally {
      limit?.cancel();
      this.#running = undefined;
      this.#idleTimer = systemClock.after(this.#limits.idleMs, () => void this.end('idle'), { isBackground: true });
    }
  }

  async end(why: string): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#idleTimer?.cancel();
    this.#ready.reject(stopped(why));
    this.#running?.reject(stopped(why));
    await this.#worker.terminate();
  }
}
