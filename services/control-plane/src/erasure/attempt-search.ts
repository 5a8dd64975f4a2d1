import { eventDigest } from '@databridge/schemas/privacy/erasures';
import { decodeAttempts, encodeAttempts, withoutAttempts } from '@databridge/schemas/records/attempts';

/** With more ids than this, decoding the records is faster than searching their bytes. */
const MAX_NEEDLES = 20;

/** Finds attempts at the events of a call in the attempt log. */
export class AttemptSearch {
  readonly #events: ReadonlySet<string>;
  readonly #ids = new Map<string, string>();

  /** @param events digests; the set may grow */
  constructor(events: ReadonlySet<string>) {
    this.#events = events;
  }

  knows(digest: string, eventId: string): void {
    this.#ids.set(digest, eventId);
  }

  /** @returns the record without these attempts; null: none remain; undefined: it contains none of them */
  restOf(value: Buffer, offset: number): string | null | undefined {
    if (!this.#mayHold(value)) return undefined;
    const batch = decodeAttempts(value);
    const rest = batch && withoutAttempts(batch, offset, (attempt) => this.#events.has(eventDigest(attempt)));
    return rest && encodeAttempts(rest);
  }

  /** Searches the bytes first, unless there are many ids or some are unknown, as after an earlier erasure. */
  #mayHold(value: Buffer): boolean {
    if (this.#events.size > this.#ids.size || this.#ids.size > MAX_NEEDLES) return this.#events.size > 0;
    return [...this.#ids.values()].some((id) => value.includes(JSON.stringify(id).slice(1, -1)));
  }
}
