/** The page's calls to the API. The link's id is in its path, since some mail programs cut off a fragment. */
import type { SealingKey } from '@databridge/kernel/secrets/sealer';

export interface Opened {
  readonly ticket: string;
  readonly untilMs: number;
  readonly kind: 'secrets' | 'setup';
  readonly customer: string;
  readonly by: string;
  readonly reason?: string;
  readonly goesTo: readonly string[];
  /** Whether a set-up is for operational notices only. */
  readonly isForNotices: boolean;
  readonly places: readonly string[];
  readonly key: SealingKey;
}

export interface Answered {
  readonly receipt: string;
  /** For an AWS role: the external id that its trust policy must require. */
  readonly externalId?: string;
}

export interface Tested {
  readonly isAccepted: boolean;
  readonly words: string;
}

/** @param ticket left out: the code is not yet entered @throws {Error} with a text for the user */
export async function call<T>(action: string, body: object, ticket?: string): Promise<T> {
  const path = `${location.pathname.split('/').slice(0, 3).join('/')}/${action}`;
  let response: Response;
  try {
    response = await fetch(path, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(ticket !== undefined && { authorization: `Bearer ${ticket}` }),
      },
      body: JSON.stringify(body),
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
    });
  } catch {
    throw new Error('The connection failed: try again.');
  }
  const answer = (await response.json()) as { detail?: string };
  if (!response.ok) throw new Error(answer.detail ?? `Failed with status ${response.status}`);
  return answer as T;
}
