export const CHECKS = [
  'kafka',
  'brokers',
  'topics',
  'rights',
  'groups',
  'registry',
  'workers',
  'customers',
  'keys',
  'clocks',
  'versions',
  'settings',
] as const;

/** The result of one check, or one of several faults that it found. */
export interface Finding {
  readonly check: (typeof CHECKS)[number];
  /** `unknown`: it could not be checked, and the detail says why. */
  readonly verdict: 'ok' | 'fault' | 'unknown';
  /** The result, as a sentence. */
  readonly detail: string;
  /** The instruction that solves it. */
  readonly advice?: string;
}

export type Check = Finding['check'];

export const ok = (check: Check, detail: string): Finding => ({ check, verdict: 'ok', detail });
export const fault = (check: Check, detail: string, advice: string): Finding => ({
  check,
  verdict: 'fault',
  detail,
  advice,
});
export const unknown = (check: Check, detail: string, advice?: string): Finding => ({
  check,
  verdict: 'unknown',
  detail,
  ...(advice !== undefined && { advice }),
});

const MAX_NAMED = 10;

/** `a, b and 7 more`. */
export function named(names: readonly string[]): string {
  const more = names.length - MAX_NAMED;
  return more <= 0 ? names.join(', ') : `${names.slice(0, MAX_NAMED).join(', ')} and ${more} more`;
}
