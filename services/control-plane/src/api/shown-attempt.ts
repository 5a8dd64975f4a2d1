import type { Caller } from '@databridge/kernel/secrets/tokens';
import type { Attempt } from '@databridge/schemas/records/attempts';
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
