import type { EventType } from '@databridge/schemas/event/event-types';
import {
  compileFilter,
  type EventFilter,
  type FilterVerdict,
} from '@databridge/schemas/subscription/filter/event-filter';

/** Filters of subscriptions that were changed or deleted stay until this many are compiled; then all are dropped. */
const MAX_REMEMBERED = 10_000;

/** The filters of subscriptions, compiled once each. */
export class Filters {
  readonly #compiled = new Map<string, EventFilter>();

  /**
   * A stored filter may be refused today: it names a field that a newer schema lacks, or exceeds a limit that was
   * lowered. It then fails on every event, so that its customer gets all of them; logs, a metric and the status show
   * it.
   */
  of(text: string, { name, fields }: EventType): EventFilter {
    const key = `${name}:${text}`;
    const known = this.#compiled.get(key);
    if (known !== undefined) return known;
    const compiled = compileFilter(text, fields);
    const filter: EventFilter = compiled.ok ? compiled.filter : invalid(`filter ${compiled.mistake}`);
    if (this.#compiled.size >= MAX_REMEMBERED) this.#compiled.clear();
    this.#compiled.set(key, filter);
    return filter;
  }
}

function invalid(detail: string): EventFilter {
  const verdict: FilterVerdict = { kind: 'failed', isInvalid: true, detail };
  return { test: () => verdict, measured: () => ({ verdict, work: 0 }) };
}
