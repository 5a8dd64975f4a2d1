/** A request that was carried out under an idempotency key, and its answer: one record per key and caller. */
import { z } from 'zod';
import { decodeJson } from '../json-record.ts';

/** The time for which a key is kept after its first request, in ms. */
export const IDEMPOTENCY_KEPT_MS = 86_400_000;

const idempotencyRecord = z.object({
  v: z.literal(1),
  /** Whose limit of kept keys it counts for: all tokens of a customer are one tenant. */
  tenant: z.string(),
  /** The SHA-256 of the request's body: the key is valid for that body only. */
  bodyHash: z.string(),
  /** When the request was carried out, in ms since the epoch by the control plane's clock. */
  atMs: z.number(),
  /** The operation that the request began. */
  operation: z.string().exactOptional(),
  /**
   * Written once the request is answered. It is absent if the control plane ended before, or the answer was too large:
   * the request was carried out nevertheless, since this record is written in the transaction of the change itself.
   */
  answer: z.object({ status: z.int(), type: z.string(), sealedPayload: z.string() }).exactOptional(),
});

export type IdempotencyRecord = z.infer<typeof idempotencyRecord>;

export function encodeIdempotency(record: IdempotencyRecord): string {
  return JSON.stringify(record);
}

/** @returns undefined if the value is not such a record */
export function decodeIdempotency(value: Buffer): IdempotencyRecord | undefined {
  return decodeJson(idempotencyRecord, value);
}
