import type { EventType } from '@databridge/schemas/event/event-types';
import { compileFilter, type EventFilter } from '@databridge/schemas/subscription/event-filter';

/** Texts come from subscriptions, and those that changed are not told apart from those that stand. */
const MAX_REMEMBERED = 10_000;

/** The filters of subscriptions, compiled once each. */
export class Filters {
  readonly #compiled = new Map<string, EventFilter>();

  /** A text that is no filter (of a newer schema, say) fails on every event: its customer gets them, and it shows. */
  of(text: string, { name, fields }: EventType): EventFilter {
    const key = `${name}:${text}`;
    const known = this.#compiled.get(key);
    if (known !== undefined) return known;
    const compiled = compileFilter(text, fields);
    const filter: EventFilter = compiled.ok
      ? compiled.filter
      : { test: () => ({ kind: 'failed', detail: compiled.mistake }) };
    if (this.#compiled.size >= MAX_REMEMBERED) this.#compiled.clear();
    this.#compiled.set(key, filter);
    return filter;
  }
}
