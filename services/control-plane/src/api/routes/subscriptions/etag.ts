import { createHash } from 'node:crypto';
import { DatabridgeError } from '@databridge/kernel/errors';
import type { Subscription } from '@databridge/schemas/subscription/subscription';

/** The ETag changes with every change, secrets included: it is made from the stored value. */
export function etagOf(sealed: Subscription): string {
  return `"${createHash('sha256').update(JSON.stringify(sealed)).digest('base64url').slice(0, 22)}"`;
}

/**
 * A caller cannot overwrite a version that it has not seen.
 * @throws {DatabridgeError} DB_PRECONDITION_REQUIRED, DB_PRECONDITION_FAILED
 */
export function refuseEtagMismatch(before: Subscription | undefined, ifMatch?: string, ifNoneMatch?: string): void {
  if (before === undefined && ifMatch === undefined) return;
  if (before !== undefined && ifMatch === etagOf(before) && ifNoneMatch === undefined) return;
  if (before !== undefined && ifMatch === undefined && ifNoneMatch === undefined) {
    throw new DatabridgeError(
      'DB_PRECONDITION_REQUIRED',
      'The subscription exists: send its ETag as If-Match to change it',
    );
  }
  throw new DatabridgeError(
    'DB_PRECONDITION_FAILED',
    'ETag mismatch: the subscription was modified; read it again and retry',
  );
}
