import { eventDigest } from '@databridge/schemas/privacy/erasures';
import { decodeAttempts, encodeAttempts, withoutAttempts } from '@databridge/schemas/records/attempts';

/** More ids are not looked for in the bytes: to decode them is faster, then. */
const MAX_NEEDLES = 20;

/** Finds attempts at the events of a call in the attempt log. */
export class AttemptSearch {
  readonly #events: ReadonlySet<string>;
  readonly #ids = new Map<string, string>();

  /** @param events digests; it may grow */
  constructor(events: ReadonlySet<string>) {
    this.#events = events;
  }

  knows(digest: string, eventId: string): void {
    this.#ids.set(digest, eventId);
  }

  /** @returns what is left of a record without them; null: nothing; undefined: it holds none */
  restOf(value: Buffer, offset: number): string | null | undefined {
    if (!this.#mayHold(value)) return undefined;
    const batch = decodeAttempts(value);
    const rest = batch && withoutAttempts(batch, offset, (attempt) => this.#events.has(eventDigest(attempt)));
    return rest && encodeAttempts(rest);
  }

  /** The bytes are asked first, unless the ids are many, or some are not known: from an erasure before, say. */
  #mayHold(value: Buffer): boolean {
    if (this.#events.size > this.#ids.size || this.#ids.size > MAX_NEEDLES) return this.#events.size > 0;
    return [...this.#ids.values()].some((id) => value.includes(JSON.stringify(id).slice(1, -1)));
  }
}
