import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceName } from '../harness/services/launch-service.ts';
import { type ServiceProcess, spawnService } from '../harness/services/processes.ts';

const RESTART_AFTER_MS = 500;

/** A service that is started again whenever it ends, as whoever runs it in production does. */
export class KeptService {
  readonly name: string;
  readonly #run: string;
  readonly #service: ServiceName;
  readonly #env: Record<string, string>;
  readonly #onStarted: () => void;
  #current: ServiceProcess | undefined;
  #isWanted = true;
  #running: Promise<void> = Promise.resolve();
  /** Starts, the first included: more than were asked for means that it crashed. */
  starts = 0;

  private constructor(
    run: string,
    name: string,
    service: ServiceName,
    env: Record<string, string>,
    onStarted: () => void,
  ) {
    this.#run = run;
    this.name = name;
    this.#service = service;
    this.#env = env;
    this.#onStarted = onStarted;
  }

  /**
   * Resolves when it is ready.
   * @param run which its log is kept under
   * @param onStarted called at each start, when its admin port is open: it is another one each time
   */
  static async start(
    run: string,
    name: string,
    service: ServiceName,
    env: Record<string, string>,
    onStarted: () => void,
  ): Promise<KeptService> {
    const kept = new KeptService(run, name, service, env, onStarted);
    kept.#running = kept.#keepRunning();
    await kept.ready();
    return kept;
  }

  async #keepRunning(): Promise<void> {
    while (this.#isWanted) {
      this.starts++;
      // One that ends before it opens its port is started again like any other.
      const spawned = await spawnService(this.#service, this.#env).catch(() => undefined);
      this.#current = spawned;
      if (spawned) this.#onStarted();
      await spawned?.exited;
      this.#current = undefined;
      if (spawned) await this.#keepLog(spawned);
      if (this.#isWanted) await delay(RESTART_AFTER_MS);
    }
  }

  /** For whoever looks for the cause of a failed run. */
  async #keepLog({ logs, otherOutput }: ServiceProcess): Promise<void> {
    const logsDir = process.env['FAULT_LOGS'];
    if (logsDir === undefined) return;
    const dir = join(logsDir, this.#run);
    await mkdir(dir, { recursive: true });
    const lines = [...logs.map((line) => JSON.stringify(line)), ...otherOutput];
    await writeFile(join(dir, `${this.name}.${this.starts}.log`), `${lines.join('\n')}\n`);
  }

  get process(): ServiceProcess | undefined {
    return this.#current;
  }

  /** Resolves when it answers that it is ready, however often it has to be started until then. */
  async ready(timeoutMs = 300_000): Promise<void> {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const leftMs = deadlineMs - performance.now();
      if (leftMs < 0) throw new Error(`${this.name} was not ready within ${timeoutMs} ms`);
      const isReady = await this.#current?.waitUntilReady(leftMs).then(
        () => true,
        () => false,
      );
      if (isReady) return;
      await delay(100);
    }
  }

  /** SIGKILL; it is started again. */
  async kill(): Promise<void> {
    await this.#current?.kill();
  }

  /** SIGTERM, as soon as it is there to get it; it is started again. @returns exit code, and what it took */
  async terminate(): Promise<{ exit: number | NodeJS.Signals; tookMs: number }> {
    while (this.#current === undefined) await delay(50);
    const startedAtMs = performance.now();
    const exit = await this.#current.stop();
    return { exit, tookMs: performance.now() - startedAtMs };
  }

  /** SIGTERM, and not again. */
  async end(): Promise<number | NodeJS.Signals | undefined> {
    this.#isWanted = false;
    const exit = await this.#current?.stop();
    await this.#running;
    return exit;
  }
}
