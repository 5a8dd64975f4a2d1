/** What a customer's worker found, and what follows from it and from what the operator wants. */
import { hash } from 'node:crypto';
import { z } from 'zod';
import type { Subscription } from '../subscription/subscription.ts';

const workerStatus = z.object({
  customer: z.string(),
  /** The worker that wrote it. */
  worker: z.string(),
  /** When, in ms since the epoch. */
  at: z.number(),
  /** The `enableEpoch` that this worker disabled. */
  disabledEpoch: z.int().optional(),
  disabledBecause: z.string().optional(),
  breaker: z.enum(['closed', 'open', 'half-open']),
  /** The destination asked for patience until then. */
  waitUntilMs: z.number().optional(),
  /** The destination does not know us, or may not be sent to: since when, and what it says. */
  held: z
    .object({ because: z.enum(['deauthorized', 'refusals', 'blocked']), sinceMs: z.number(), detail: z.string() })
    .optional(),
  lastSuccessAtMs: z.number().optional(),
  /** The {@link connectionOf} that `held` and `waitUntilMs` were found with. */
  connection: z.string().optional(),
  /** The group's offsets when this was written: a group that loses its own is set back to these. */
  committed: z
    .array(z.object({ topic: z.string(), partition: z.int().min(0), offset: z.int().min(0), metadata: z.string() }))
    .optional(),
});

export type WorkerStatus = z.infer<typeof workerStatus>;

export function encodeStatus(status: WorkerStatus): string {
  return JSON.stringify(status);
}

/** @returns undefined for what is not a status */
export function decodeStatus(value: Buffer): WorkerStatus | undefined {
  try {
    return workerStatus.parse(JSON.parse(value.toString('utf8')));
  } catch {
    return undefined;
  }
}

/**
 * A fingerprint of everything that a hold may be the fault of: where events go, how we authenticate, and the epoch of
 * the last enabling. It is made of the sealed subscription, so it tells nothing of a secret.
 */
export function connectionOf({
  destination,
  authentication,
  tls,
  signing,
  enableEpoch,
}: Pick<Subscription, 'destination' | 'authentication' | 'tls' | 'signing' | 'enableEpoch'>): string {
  const facts = JSON.stringify([destination, authentication, tls, signing, enableEpoch]);
  return hash('sha256', facts, 'base64url').slice(0, 22);
}

/** The status without a hold or a wait that was found with another destination, secret or epoch than today's. */
export function withoutOldHolds(status: WorkerStatus, connection: string): WorkerStatus {
  if (status.connection === undefined || status.connection === connection) return status;
  const { held: _, waitUntilMs: __, ...rest } = status;
  return rest;
}

export type EffectiveState = Subscription['state'];

/**
 * The one state that counts. What is wanted stands in the subscription, what was found in the status: neither side
 * writes the other's record, and no two clocks are compared.
 */
export function effectiveState(
  subscription: Pick<Subscription<unknown>, 'state' | 'enableEpoch'>,
  status: Pick<WorkerStatus, 'disabledEpoch'> | undefined,
): EffectiveState {
  if (status?.disabledEpoch === subscription.enableEpoch) return 'disabled';
  return subscription.state;
}
