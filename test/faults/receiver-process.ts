import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Misbehaviour } from './misbehaviour.ts';

export type Behavior =
  | { readonly kind: 'accept'; readonly delayMs: number }
  | { readonly kind: 'refuse'; readonly status: number; readonly delayMs: number }
  /** By turns. */
  | { readonly kind: 'misbehave'; readonly how: readonly Misbehaviour[] };

export interface ReceiverRequest {
  readonly id: string;
  readonly attempt: number;
  /** Empty if the worker was not made to tell. */
  readonly worker: string;
  /** When its headers came, ms since the epoch. */
  readonly atMs: number;
}

/** Asked by the parent; answered after all that was counted before. */
export interface Ping {
  readonly kind: 'ping';
}

export interface ReceiverReport {
  readonly requests: readonly ReceiverRequest[];
  readonly accepted: readonly (readonly [id: string, atMs: number])[];
}

/** A destination that runs as a process of its own, and what it has counted so far. */
export class ReceiverProcess {
  readonly requests: ReceiverRequest[] = [];
  readonly #pongs: (() => void)[] = [];
  /** Every answer of 2xx, repeats too, in order. */
  readonly acceptedAtMs: number[] = [];
  readonly acceptedIds = new Set<string>();
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.url = `http://127.0.0.1:${port}/events`;
    child.on('message', (message) => {
      if (message === 'pong') return this.#pongs.shift()?.();
      const { requests, accepted } = message as ReceiverReport;
      this.requests.push(...requests);
      for (const [id, atMs] of accepted) {
        this.acceptedAtMs.push(atMs);
        this.acceptedIds.add(id);
      }
    });
  }

  static async start(): Promise<ReceiverProcess> {
    const child = fork(new URL('counting-receiver.ts', import.meta.url), [], { execArgv: [] });
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    return new ReceiverProcess(child, port);
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** From the next request on. */
  behave(behavior: Behavior): void {
    this.#child.send(behavior);
  }

  /** Resolves when all that lay in its sockets is counted, here too. */
  async caughtUp(): Promise<void> {
    // One turn of its event loop accepts a connection, the next one reads from it.
    for (let turn = 0; turn < 3; turn++) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#pongs.push(resolve);
      this.#child.send({ kind: 'ping' } satisfies Ping);
      await promise;
    }
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}
