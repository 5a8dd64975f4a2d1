/** The client of the sink, for the demo and the benchmarks. */
import { setTimeout as delay } from 'node:timers/promises';
import { Child } from '../child.ts';
import { cpuMs, peakRssMiB } from '../process-usage.ts';
import type { SinkAnswer, SinkQuestion } from './sink.ts';

/** A measurement over a number of requests. */
export interface Flow {
  readonly requests: number;
  readonly perSecond: number;
  readonly cpuMicrosEach: number;
  readonly peakRssMiB: number;
}

const LOOK_EVERY_MS = 50;
/** Without a new request for this long, the sender counts as stalled. */
const STALLED_AFTER_MS = 60_000;

export class Sink {
  readonly #child: Child;
  readonly #port: number;

  private constructor(child: Child, port: number) {
    this.#child = child;
    this.#port = port;
  }

  static async start(): Promise<Sink> {
    const child = new Child('sink', new URL('sink.ts', import.meta.url), {});
    const { port } = await child.message(is('port'));
    return new Sink(child, port);
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.#port}${path}`;
  }

  async reset(): Promise<void> {
    await this.#ask('reset');
  }

  /** Counts the path's requests, with the times of the first and the latest by the sink's monotonic clock. */
  async count(path: string): Promise<{ requests: number; firstAtMs: number; latestAtMs: number }> {
    const { counts } = await this.#ask('count');
    return counts[path] ?? { requests: 0, firstAtMs: 0, latestAtMs: 0 };
  }

  /** Maps each event id to its first arrival at a `record` path, in ms since the epoch. */
  async arrivals(): Promise<Map<string, number>> {
    const { arrivals } = await this.#ask('arrivals');
    return new Map(arrivals.reverse());
  }

  /**
   * Waits until this many requests came, or until the time is over.
   * @param pid who sends: its processor time counts from the first request on
   * @param until `warmUp`: the first requests, which aren't measured. A service runs for weeks; its first seconds, in
   *   which code is compiled, say little about it
   * @param inParallel requests that come at once at the start, and so say nothing about the rate
   */
  async flow(
    path: string,
    pid: number,
    until: { requests: number; seconds?: number; warmUp?: number },
    inParallel = 1,
  ): Promise<Flow> {
    const { warmUp = 0 } = until;
    let begun: { cpuMs: number; requests: number; atMs: number; latestAtMs: number } | undefined;
    let movedAtMs = performance.now();
    let last = 0;
    for (;;) {
      const { requests, firstAtMs, latestAtMs } = await this.count(path);
      const nowMs = performance.now();
      if (requests > last) movedAtMs = nowMs;
      last = requests;
      if (requests > warmUp) begun ??= { cpuMs: await cpuMs(pid), requests, atMs: nowMs, latestAtMs };
      const isTimeUp = begun !== undefined && nowMs - begun.atMs >= (until.seconds ?? Number.POSITIVE_INFINITY) * 1_000;
      if (begun && (requests >= until.requests || isTimeUp)) {
        const spentMs = (await cpuMs(pid)) - begun.cpuMs;
        const [count, tookMs] =
          warmUp > 0
            ? [requests - begun.requests, latestAtMs - begun.latestAtMs]
            : [requests - inParallel, latestAtMs - firstAtMs];
        return {
          requests,
          perSecond: count / (tookMs / 1_000),
          cpuMicrosEach: (spentMs * 1_000) / (requests - begun.requests),
          peakRssMiB: await peakRssMiB(pid),
        };
      }
      if (nowMs - movedAtMs > STALLED_AFTER_MS) {
        throw new Error(`${path}: ${requests} of ${until.requests} requests, and no more for a minute`);
      }
      await delay(LOOK_EVERY_MS);
    }
  }

  async stop(): Promise<void> {
    await this.#child.kill();
  }

  async #ask<K extends SinkQuestion['kind']>(kind: K): Promise<Extract<SinkAnswer, { kind: K }>> {
    const answer = this.#child.message(is(kind));
    this.#child.send({ kind } satisfies SinkQuestion);
    return (await answer) as Extract<SinkAnswer, { kind: K }>;
  }
}

function is<K extends SinkAnswer['kind']>(kind: K) {
  return (message: unknown): message is Extract<SinkAnswer, { kind: K }> =>
    (message as { kind?: unknown } | null)?.kind === kind;
}
