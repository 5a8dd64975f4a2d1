/**
 * The state of a customer as its worker observed it, and the effective state that follows from it and from the wanted
 * one.
 */
import { hash } from 'node:crypto';
import { z } from 'zod';
import { kindOf } from '../destination/destinations.ts';
import { decodeJson } from '../json-record.ts';
import { mapSecrets } from '../subscription/secret-places.ts';
import type { Subscription } from '../subscription/subscription.ts';

/** Why only probes are sent to a customer: its connection is at fault, not an event. */
export const HOLD_REASONS = ['deauthorized', 'refusals', 'blocked'] as const;
export type HoldReason = (typeof HOLD_REASONS)[number];

const workerStatus = z.object({
  customer: z.string(),
  /** The worker that wrote the record. */
  worker: z.string(),
  /** The time in ms since the epoch. */
  at: z.number(),
  /** The `enableEpoch` under which this worker disabled the customer. */
  disabledEpoch: z.int().optional(),
  disabledBecause: z.string().optional(),
  breaker: z.enum(['closed', 'open', 'half-open']),
  /** The end of the wait that the destination asked for. */
  waitUntilMs: z.number().optional(),
  /** Why the destination rejects us, or may not be sent to, and since when. */
  held: z.object({ because: z.enum(HOLD_REASONS), sinceMs: z.number(), detail: z.string() }).optional(),
  lastSuccessAtMs: z.number().optional(),
  /** The {@link connectionOf} under which `held` and `waitUntilMs` were found. */
  connection: z.string().optional(),
  /** The group's offsets when the record was written: a group that loses its own continues from these. */
  committed: z
    .array(z.object({ topic: z.string(), partition: z.int().min(0), offset: z.int().min(0), metadata: z.string() }))
    .optional(),
});

export type WorkerStatus = z.infer<typeof workerStatus>;

export function encodeStatus(status: WorkerStatus): string {
  return JSON.stringify(status);
}

/** @returns undefined if the value is not a status */
export function decodeStatus(value: Buffer): WorkerStatus | undefined {
  return decodeJson(workerStatus, value);
}

/**
 * A fingerprint of everything that can cause a hold: the address, the authentication, and the epoch of the last
 * enabling. Secrets count by the time when they were set, so the fingerprint reveals nothing of them, and a rotation of
 * the key ring, which changes every seal but no secret, does not change it. Its first part concerns the address only.
 */
export function connectionOf<S>(subscription: Subscription<S>): string {
  const { destination, authentication, tls, signing, enableEpoch, secretsSetAt } = mapSecrets(subscription, () => '');
  const address = fingerprint([destination.type, ...kindOf(destination).address(destination), enableEpoch]);
  return `${address}.${fingerprint([destination, authentication, tls, signing, enableEpoch, secretsSetAt])}`;
}

const fingerprint = (facts: unknown) => hash('sha256', JSON.stringify(facts), 'base64url').slice(0, 22);

/**
 * The status without a hold that was found with another connection than the present one. A wait that the destination
 * asked for continues while the address is the same.
 */
export function withoutOldHolds(status: WorkerStatus, connection: string): WorkerStatus {
  if (status.connection === undefined || status.connection === connection) return status;
  const { held: _, waitUntilMs, ...rest } = status;
  const isSameAddress = status.connection.split('.')[0] === connection.split('.')[0];
  return isSameAddress && waitUntilMs !== undefined ? { ...rest, waitUntilMs } : rest;
}

export type EffectiveState = Subscription['state'];

/**
 * The effective state. The subscription holds the wanted state, the status the observed one: neither side writes the
 * other's record, and no two clocks are compared.
 */
export function effectiveState(
  subscription: Pick<Subscription<unknown>, 'state' | 'enableEpoch'>,
  status: Pick<WorkerStatus, 'disabledEpoch'> | undefined,
): EffectiveState {
  if (status?.disabledEpoch === subscription.enableEpoch) return 'disabled';
  return subscription.state;
}
