import type { Logger } from '@databridge/kernel/log';
import type { WorkerStatus } from '@databridge/schemas/records/status';

/** A customer whose destination asks for a wait again and again gets one line about it in this time. */
const REPEAT_AFTER_MS = 60_000;

/**
 * Logs changes of a customer's gate. The breaker of a customer that is down opens again after each probe, which is not
 * logged again.
 */
export class GateLines {
  readonly #log: Logger;
  #last = { isTripped: false, because: '', waits: false, atMs: Number.NEGATIVE_INFINITY };

  constructor(log: Logger) {
    this.#log = log;
  }

  note(
    { breaker, held, waitUntilMs }: Pick<WorkerStatus, 'breaker' | 'held' | 'waitUntilMs'>,
    monotonicMs: number,
  ): void {
    const last = this.#last;
    const now = { isTripped: breaker !== 'closed', because: held?.because ?? '', waits: waitUntilMs !== undefined };
    const isNew = now.isTripped !== last.isTripped || now.because !== last.because || now.waits !== last.waits;
    if (!isNew && (!now.waits || monotonicMs - last.atMs < REPEAT_AFTER_MS)) return;
    this.#last = { ...now, atMs: monotonicMs };
    this.#log.warn({ event: 'gate_changed', breaker, held, waitUntilMs }, 'delivery gate changed');
  }
}
