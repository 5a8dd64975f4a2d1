import type { Caller } from '@databridge/kernel/secrets/tokens';
import type { Attempt } from '@databridge/schemas/records/attempts';
import type { SeenAttempt } from '../views/attempts/attempt-view.ts';
import { mayReadPayloads, maySeeAddresses } from './auth/access.ts';

/**
 * What the caller may see of an attempt. A destination may answer with the event that it got: so answers are for those
 * who may read events. To which address a name leads, and what is open there, is for operators.
 */
export function shownTo(caller: Caller | undefined, attempt: Attempt): Attempt {
  const { answer, operatorDetail, ...facts } = attempt;
  return {
    ...facts,
    ...(answer !== undefined && mayReadPayloads(caller) && { answer }),
    ...(operatorDetail !== undefined && maySeeAddresses(caller) && { operatorDetail }),
  };
}

/** The same with its id, by which it can be told apart and a stream resumed. */
export function listedTo(
  caller: Caller | undefined,
  { place, attempt }: SeenAttempt,
): Attempt & { readonly id: string } {
  return { id: place, ...shownTo(caller, attempt) };
}
