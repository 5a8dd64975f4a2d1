import type { Logger } from '@databridge/kernel/log';
import type { FilterFailure } from './route.ts';

/** A customer's events on which a valid filter cannot be evaluated are logged once in this time. */
const REPEAT_AFTER_MS = 60_000;
const MAX_REMEMBERED = 10_000;

/** Logs filters that fail, without filling the log: the metric counts each event, and log lines name each customer. */
export class FilterFailureLog {
  readonly #log: Logger;
  /** The latest log line of each customer, and its time. */
  readonly #logged = new Map<string, { readonly what: string; readonly atMs: number }>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** @param failures of one customer */
  note(eventType: string, customer: string, failures: readonly FilterFailure[], nowMs: number): void {
    const [first] = failures;
    if (first === undefined) return;
    const key = `${customer} ${eventType}`;
    const what = first.isInvalid ? first.detail : '';
    const logged = this.#logged.get(key);
    const isRepeated = logged?.what === what && (first.isInvalid || nowMs - logged.atMs < REPEAT_AFTER_MS);
    if (isRepeated) return;
    if (this.#logged.size >= MAX_REMEMBERED) this.#logged.clear();
    this.#logged.set(key, { what, atMs: nowMs });
    const { detail, source } = first;
    const message = first.isInvalid ? 'stored filter invalid' : 'filter evaluation failed';
    this.#log.warn(
      { event: 'filter_failed', eventType, customer, records: failures.length, detail, source, passed: 'all' },
      message,
    );
  }
}
