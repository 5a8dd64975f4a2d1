import type { RecordProducer } from '@databridge/kernel/kafka/records';
import type { Logger } from '@databridge/kernel/log';
import type { Clock, Timer } from '@databridge/kernel/time/clock';
import { VERSION } from '@databridge/kernel/version';
import { WORKERS_TOPIC } from '@databridge/schemas/records/topics';
import { encodeWorkerReport, type WorkerReport } from '@databridge/schemas/records/workers';

export interface HeartbeatOptions {
  readonly worker: string;
  readonly producer: Pick<RecordProducer, 'send'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly intervalMs: number;
  /** Called after each report that Kafka acknowledged. */
  readonly onReported?: () => Promise<void>;
  readonly running: () => Pick<
    WorkerReport,
    'partitions' | 'customers' | 'failing' | 'keyIds' | 'awsAccount' | 'settings'
  >;
}

/** Changes within this time are reported together: a worker that starts takes over hundreds of customers. */
const CHANGES_TOGETHER_MS = 500;

/**
 * Reports the customers and partitions of the worker: at an interval, and soon after a change. A worker that stops
 * writes a tombstone; the control plane recognizes a killed worker by the missing reports.
 */
export class Heartbeat {
  readonly #with: HeartbeatOptions;
  readonly #startedAtMs: number;
  #timer: { readonly atMs: number; readonly timer: Timer } | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: HeartbeatOptions) {
    this.#with = options;
    this.#startedAtMs = options.clock.nowMs();
  }

  start(): void {
    this.#writeIn(0);
  }

  writeSoon(): void {
    this.#writeIn(CHANGES_TOGETHER_MS);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.timer.cancel();
    await this.#writing;
    const { producer, worker, log } = this.#with;
    await producer.send([{ topic: WORKERS_TOPIC, key: worker, value: null }]).catch((error: unknown) => {
      log.warn({ event: 'worker_report_failed', err: error }, 'worker tombstone not written');
    });
  }

  #writeIn(delayMs: number): void {
    if (this.#isStopped) return;
    const { clock, intervalMs } = this.#with;
    const atMs = clock.monotonicMs() + delayMs;
    if (this.#timer !== undefined && this.#timer.atMs <= atMs) return;
    this.#timer?.timer.cancel();
    const timer = clock.after(delayMs, () => {
      this.#timer = undefined;
      this.#writing = this.#writing.then(() => this.#write());
      this.#writeIn(intervalMs);
    });
    this.#timer = { atMs, timer };
  }

  async #write(): Promise<void> {
    if (this.#isStopped) return;
    const { clock, intervalMs, log, onReported, producer, running, worker } = this.#with;
    const value = encodeWorkerReport({
      ...{ worker, version: VERSION, startedAtMs: this.#startedAtMs, at: clock.nowMs(), intervalMs },
      ...running(),
    });
    try {
      await producer.send([{ topic: WORKERS_TOPIC, key: worker, value }]);
    } catch (error) {
      log.warn({ event: 'worker_report_failed', err: error }, 'worker report not written');
      return;
    }
    await onReported?.();
  }
}
