/**
 * Erased events. What is erased is written down by digests alone, which lead nobody to the event who doesn't have it
 * already; and each record of it gets a tombstone, so that Kafka's compaction can remove it. Pure.
 */
import { hash } from 'node:crypto';
import { z } from 'zod';
import { decodeJson } from '../json-record.ts';
import { HEADER, type HeaderValues, headerText } from '../records/headers.ts';
import { eventKeyOf } from '../records/identity.ts';

/** This many digests stay well below the largest record of a topic. */
export const MAX_ERASED_EVENTS = 10_000;

const erasure = z.object({
  v: z.literal(1),
  /** The time of the last erasure, in ms since the epoch by the control plane's clock. */
  atMs: z.number(),
  /** The {@link eventDigest} of each event of the call. */
  events: z.array(z.string()).max(MAX_ERASED_EVENTS),
});

/** The events that were erased under one request id. The key of its record is {@link requestDigest}. */
export type Erasure = z.infer<typeof erasure>;

export function encodeErasure(record: Erasure): string {
  return JSON.stringify(record);
}

/** @returns undefined if the value is not an erasure */
export function decodeErasure(value: Buffer): Erasure | undefined {
  return decodeJson(erasure, value);
}

/** Represents a request id in the audit log, in receipts and as the key of its erasure. */
export function requestDigest(requestId: string): string {
  return digest('request', requestId);
}

/** Represents an event in all its copies: retries, replays, dead letters and attempts have the same digest. */
export function eventDigest(named: Parameters<typeof eventKeyOf>[0]): string {
  return digest('event', eventKeyOf(named));
}

/** The kind is part of it, so that no request id can be mistaken for an event. */
function digest(kind: string, name: string): string {
  return hash('sha256', `databridge ${kind} ${name}`, 'base64url');
}

/** A tombstone in the place of an erased record, as the books read it. */
export interface ErasedRecord {
  /** {@link eventDigest} of the event. */
  readonly digest: string;
  /** The record was a copy that a redelivery or a redrive wrote. */
  readonly replayId?: string;
  /** When the broker took the record, ms since the epoch; absent: it was erased before it was written. */
  readonly writtenAtMs?: number;
}

/** The headers of the tombstone: what the books need, and nothing of the content. */
export function tombstoneHeaders({ digest, replayId, writtenAtMs }: ErasedRecord): Record<string, string> {
  return {
    [HEADER.erased]: digest,
    ...(replayId !== undefined && { [HEADER.replayId]: replayId }),
    ...(writtenAtMs !== undefined && { [HEADER.writtenAt]: String(writtenAtMs) }),
  };
}

/** @returns undefined: the record is not in the place of an erased one */
export function readTombstone(headers: HeaderValues): ErasedRecord | undefined {
  const digest = headerText(headers, HEADER.erased);
  if (digest === undefined) return undefined;
  const replayId = headerText(headers, HEADER.replayId);
  const writtenAtMs = Number(headerText(headers, HEADER.writtenAt) ?? Number.NaN);
  return {
    digest,
    ...(replayId !== undefined && { replayId }),
    ...(Number.isFinite(writtenAtMs) && { writtenAtMs }),
  };
}

/** The erased events, from the records of {@link Erasure}. */
export class ErasedEvents {
  readonly #byRequest = new Map<string, readonly string[]>();
  readonly #erased = new Set<string>();

  /** @param events undefined if the record was deleted @returns whether further events are erased now */
  set(request: string, events: readonly string[] = []): boolean {
    const before = this.#byRequest.get(request) ?? [];
    const fresh = events.filter((event) => !this.#erased.has(event));
    if (events.length > 0) this.#byRequest.set(request, events);
    else this.#byRequest.delete(request);
    for (const event of events) this.#erased.add(event);
    const present = new Set(events);
    const gone = before.filter((event) => !present.has(event));
    const kept = new Set(gone.length > 0 ? [...this.#byRequest.values()].flat() : []);
    for (const event of gone) if (!kept.has(event)) this.#erased.delete(event);
    return fresh.length > 0;
  }

  /** @returns the digests of the events that were erased under the request */
  of(request: string): readonly string[] {
    return this.#byRequest.get(request) ?? [];
  }

  get isEmpty(): boolean {
    return this.#erased.size === 0;
  }

  /** Returns at once if nothing was ever erased. */
  has(named: Parameters<typeof eventKeyOf>[0]): boolean {
    return this.#erased.size > 0 && this.#erased.has(eventDigest(named));
  }
}
