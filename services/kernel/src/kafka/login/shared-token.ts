import { systemClock } from '../../time/clock.ts';
/**
 * The token that connections log in with. It is shared, since connections log in at the same time and again when their
 * sessions end.
 */

export interface Token {
  readonly value: string;
  /** The time for which new logins may use it, in ms. 0: the next login requests another one. */
  readonly usedForMs: number;
}

export type TokenSource = () => Promise<{ readonly value: string }>;

/** One request at a time. A failure is reported to all callers that wait for it, and the next login asks again. */
export function sharedToken(request: () => Promise<Token>): TokenSource {
  let asking: Promise<Token> | undefined;
  let current: { readonly value: string; readonly untilMs: number } | undefined;
  return async () => {
    if (current !== undefined && current.untilMs > systemClock.monotonicMs()) return { value: current.value };
    asking ??= request().finally(() => {
      asking = undefined;
    });
    const { value, usedForMs } = await asking;
    current = { value, untilMs: systemClock.monotonicMs() + usedForMs };
    return { value };
  };
}
