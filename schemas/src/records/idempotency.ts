/** A request that was carried out under an idempotency key, and its answer: one record per key of a caller. */
import { z } from 'zod';

/** A key is kept for so long from its first request. */
export const IDEMPOTENCY_KEPT_MS = 86_400_000;

const idempotencyRecord = z.object({
  v: z.literal(1),
  /** Who pays for its place: all tokens of a customer are one tenant. */
  tenant: z.string(),
  /** SHA-256 of the request's body: the key is good for that body alone. */
  bodyHash: z.string(),
  /** When the request was carried out, in ms since the epoch by the control plane's clock. */
  atMs: z.number(),
  /** The operation that it began. */
  operation: z.string().exactOptional(),
  /**
   * Written once the request is answered. It is absent where the control plane ended before, or the answer was too large:
   * the request was carried out nevertheless, since this record is written in the transaction of the change itself.
   */
  answer: z.object({ status: z.int(), type: z.string(), sealedPayload: z.string() }).exactOptional(),
});

export type IdempotencyRecord = z.infer<typeof idempotencyRecord>;

export function encodeIdempotency(record: IdempotencyRecord): string {
  return JSON.stringify(record);
}

/** @returns undefined for what is no such record */
export function decodeIdempotency(value: Buffer): IdempotencyRecord | undefined {
  try {
    return idempotencyRecord.parse(JSON.parse(value.toString('utf8')));
  } catch {
    return undefined;
  }
}
