/** What a customer's worker found, and what follows from it and from what the operator wants. */
import { hash } from 'node:crypto';
import { z } from 'zod';
import { kindOf } from '../destination/destinations.ts';
import { mapSecrets } from '../subscription/secret-places.ts';
import type { Subscription } from '../subscription/subscription.ts';

/** Why nothing but probes is sent to a customer: its connection is at fault, not an event. */
export const HOLD_REASONS = ['deauthorized', 'refusals', 'blocked'] as const;
export type HoldReason = (typeof HOLD_REASONS)[number];

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
  held: z.object({ because: z.enum(HOLD_REASONS), sinceMs: z.number(), detail: z.string() }).optional(),
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
 * the last enabling. Secrets count by the time when they were set: so it tells nothing of them, and a rotation of the
 * key ring, which changes every seal and no secret, doesn't change it. Its first part is that of the address alone.
 */
export function connectionOf<S>(subscription: Subscription<S>): string {
  const { destination, authentication, tls, signing, enableEpoch, secretsSetAt } = mapSecrets(subscription, () => '');
  const address = fingerprint([destination.type, ...kindOf(destination).address(destination), enableEpoch]);
  return `${address}.${fingerprint([destination, authentication, tls, signing, enableEpoch, secretsSetAt])}`;
}

const fingerprint = (facts: unknown) => hash('sha256', JSON.stringify(facts), 'base64url').slice(0, 22);

/**
 * The status without what was found by another connection than today's: a hold. A wait that the destination asked for
 * goes on while the address is the same.
 */
export function withoutOldHolds(status: WorkerStatus, connection: string): WorkerStatus {
  if (status.connection === undefined || status.connection === connection) return status;
  const { held: _, waitUntilMs, ...rest } = status;
  const isSameAddress = status.connection.split('.')[0] === connection.split('.')[0];
  return isSameAddress && waitUntilMs !== undefined ? { ...rest, waitUntilMs } : rest;
}

export type EffectiveState = Subscription['state'];

/**
 * The one state that counts. The wanted state is in the subscription, the observed state in the status: neither side
 * writes the other's record, and no two clocks are compared.
 */
export function effectiveState(
  subscription: Pick<Subscription<unknown>, 'state' | 'enableEpoch'>,
  status: Pick<WorkerStatus, 'disabledEpoch'> | undefined,
): EffectiveState {
  if (status?.disabledEpoch === subscription.enableEpoch) return 'disabled';
  return subscription.state;
}
