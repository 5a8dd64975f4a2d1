/**
 * Erased events. Kafka can't delete one record from the middle of a topic, so what is erased is also written down: by
 * digests alone, which lead nobody to the event who doesn't have it already. Pure.
 */
import { hash } from 'node:crypto';
import { z } from 'zod';
import { eventKeyOf } from '../records/identity.ts';

/** So many digests stay well below the largest record of a topic. */
export const MAX_ERASED_EVENTS = 10_000;

const erasure = z.object({
  v: z.literal(1),
  /** When it was erased last, in ms since the epoch by the control plane's clock. */
  atMs: z.number(),
  /** {@link eventDigest} of each event of the call. */
  events: z.array(z.string()).max(MAX_ERASED_EVENTS),
});

/** What was erased under one request id. The key of its record is {@link requestDigest}. */
export type Erasure = z.infer<typeof erasure>;

export function encodeErasure(record: Erasure): string {
  return JSON.stringify(record);
}

/** @returns undefined for what is no erasure */
export function decodeErasure(value: Buffer): Erasure | undefined {
  try {
    return erasure.parse(JSON.parse(value.toString('utf8')));
  } catch {
    return undefined;
  }
}

/** Represents a request id in the audit log, in receipts and as the key of its erasure. */
export function requestDigest(requestId: string): string {
  return digest('request', requestId);
}

/** Represents an event in all its copies: retries, replays, dead letters and attempts have the same. */
export function eventDigest(named: Parameters<typeof eventKeyOf>[0]): string {
  return digest('event', eventKeyOf(named));
}

/** The kind is part of it, so that no request id passes for an event. */
function digest(kind: string, name: string): string {
  return hash('sha256', `databridge ${kind} ${name}`, 'base64url');
}

/** The erased events, as the records of {@link Erasure} bring them. */
export class ErasedEvents {
  readonly #byRequest = new Map<string, readonly string[]>();
  readonly #erased = new Set<string>();

  /** @param events left out: the record is gone @returns whether there are events now that were not erased before */
  set(request: string, events: readonly string[] = []): boolean {
    const before = this.#byRequest.get(request) ?? [];
    const fresh = events.filter((event) => !this.#erased.has(event));
    if (events.length > 0) this.#byRequest.set(request, events);
    else this.#byRequest.delete(request);
    for (const event of events) this.#erased.add(event);
    const gone = before.filter((event) => !events.includes(event));
    const kept = new Set(gone.length > 0 ? [...this.#byRequest.values()].flat() : []);
    for (const event of gone) if (!kept.has(event)) this.#erased.delete(event);
    return fresh.length > 0;
  }

  /** @returns the digests of the events that were erased under the request */
  of(request: string): readonly string[] {
    return this.#byRequest.get(request) ?? [];
  }

  /** Costs nothing while nothing was ever erased. */
  has(named: Parameters<typeof eventKeyOf>[0]): boolean {
    return this.#erased.size > 0 && this.#erased.has(eventDigest(named));
  }
}
