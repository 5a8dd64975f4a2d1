import { systemClock } from '../../time/clock.ts';
/** Tokens that connections log in with: shared, since connections log in side by side and again when their sessions end. */

export interface Token {
  readonly value: string;
  /** For how long new logins may use it, in ms. 0: the next login asks for another. */
  readonly usedForMs: number;
}

export type TokenSource = () => Promise<{ readonly value: string }>;

/** One request at a time. A failure is reported to all who wait for it, and the next login asks again. */
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
