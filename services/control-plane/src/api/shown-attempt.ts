import type { Caller } from '@databridge/kernel/secrets/tokens';
import type { Attempt } from '@databridge/schemas/records/attempts';
import type { SeenAttempt } from '../views/attempts/attempt-view.ts';
import { mayReadPayloads, maySeeAddresses } from './auth/access.ts';

/**
 * The parts of an attempt that the caller may see. A destination may echo the event in its answer, so answers are shown
 * only to callers that may read events. Internal addresses and their open ports are shown only to operators.
 */
export function shownTo(caller: Caller | undefined, attempt: Attempt): Attempt {
  const { answer, operatorDetail, ...facts } = attempt;
  return {
    ...facts,
    ...(answer !== undefined && mayReadPayloads(caller) && { answer }),
    ...(operatorDetail !== undefined && maySeeAddresses(caller) && { operatorDetail }),
  };
}

/** The same with its id, which identifies it and by which a stream is resumed. */
export function listedTo(
  caller: Caller | undefined,
  { place, attempt }: SeenAttempt,
): Attempt & { readonly id: string } {
  return { id: place, ...shownTo(caller, attempt) };
}
