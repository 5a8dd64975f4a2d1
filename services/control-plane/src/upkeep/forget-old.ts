import {
  IDEMPOTENCY_TOPIC,
  INVITATIONS_TOPIC,
  OPERATIONS_TOPIC,
  WORKERS_TOPIC,
} from '@databridge/schemas/records/topics';
import type { CertificateRequest } from '@databridge/schemas/requests/worker-requests';
import type { ControlPlaneContext } from '../context.ts';
import type { KeptAnswerTable } from '../idempotency/kept-answers.ts';
import { removed, unusedKeyPairs } from '../invitations/unused-key-pairs.ts';

/** The time for which finished operations can be looked up. */
export const OPERATIONS_KEPT_MS = 7 * 86_400_000;
/** The time for which dead workers are listed after their last report. */
export const DEAD_WORKERS_KEPT_MS = 86_400_000;

/** The time for which invitations are listed after they ended. */
export const INVITATIONS_KEPT_MS = 30 * 86_400_000;

export interface Forgotten {
  /** The ids of operations. */
  readonly operations: readonly string[];
  readonly workers: readonly string[];
  /** The ids of invitations. */
  readonly invitations: readonly string[];
  /** The customers whose key pair was made for an invitation that ended without using it. */
  readonly keyPairs: readonly string[];
  /** The number of idempotency keys. */
  readonly keys: number;
}

/** The tables that are searched. */
export interface Remembered extends Pick<ControlPlaneContext, 'operations' | 'workers' | 'invitations' | 'producer'> {
  readonly kept: Pick<KeptAnswerTable, 'expired'>;
  readonly certificateRequests: () => Promise<ReadonlyMap<string, CertificateRequest>>;
}

/**
 * Writes tombstones for operations and invitations that ended long ago, for key pairs of invitations that ended, for
 * workers that have been silent for long, and for expired idempotency keys. Running operations stay, however old they are. A worker that was frozen for this long
 * appears again with its next report.
 */
export async function forgetOld(
  { operations, workers, invitations, producer, kept, certificateRequests }: Remembered,
  nowMs: number,
): Promise<Forgotten> {
  const ended = [...(await operations()).values()]
    .filter(({ state, finishedAtMs }) => state !== 'running' && (finishedAtMs ?? nowMs) < nowMs - OPERATIONS_KEPT_MS)
    .map(({ id }) => id);
  const dead = workers()
    .filter(({ isAlive, silentForMs }) => !isAlive && silentForMs > DEAD_WORKERS_KEPT_MS)
    .map(({ report }) => report.worker);
  const expired = kept.expired(nowMs);
  const closed = [...(await invitations()).values()]
    .filter(({ expiresAtMs, changedAtMs }) => Math.max(expiresAtMs, changedAtMs) < nowMs - INVITATIONS_KEPT_MS)
    .map(({ id }) => id);
  const keyPairs = unusedKeyPairs(await certificateRequests(), await invitations(), nowMs);
  await producer.send([
    ...ended.map((id) => ({ topic: OPERATIONS_TOPIC, key: id, value: null })),
    ...closed.map((id) => ({ topic: INVITATIONS_TOPIC, key: id, value: null })),
    ...keyPairs.map(removed),
    ...dead.map((worker) => ({ topic: WORKERS_TOPIC, key: worker, value: null })),
    ...expired.map((place) => ({ topic: IDEMPOTENCY_TOPIC, key: place, value: null })),
  ]);
  return { operations: ended, workers: dead, invitations: closed, keyPairs, keys: expired.length };
}
