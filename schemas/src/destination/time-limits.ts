/** The time limits that every destination has. */
import { z } from 'zod';
import type { Issue } from '../subscription/issue-words.ts';

/** Limits in ms. No phase has a longer limit than the whole. */
export interface TimeSettings {
  /** For the whole exchange, from the wait for a connection to the last byte of the answer. */
  readonly timeoutMs: number;
  /** Until a connection is open: name resolution, TCP, TLS. If omitted: 5 s, or the whole if that is shorter. */
  readonly connectTimeoutMs?: number | undefined;
  /** From the open connection until the answer's headers have arrived. If omitted: the whole. */
  readonly headersTimeoutMs?: number | undefined;
  /** From the headers until the last byte has arrived. If omitted: the whole. */
  readonly bodyTimeoutMs?: number | undefined;
}

// The 185 attempts of the retry plan leave about 20 s for each in their 24 hours.
const limitMs = z.int().min(100).max(20_000);
const DEFAULT_TIMEOUT_MS = 10_000;

export const timeSettings = {
  timeoutMs: limitMs.default(DEFAULT_TIMEOUT_MS),
  connectTimeoutMs: limitMs.optional(),
  headersTimeoutMs: limitMs.optional(),
  bodyTimeoutMs: limitMs.optional(),
};

/** @param destination not validated yet */
export function timeIssues(destination: Readonly<Record<string, unknown>>): Issue[] {
  const wholeMs = destination['timeoutMs'] ?? DEFAULT_TIMEOUT_MS;
  return ['connectTimeoutMs', 'headersTimeoutMs', 'bodyTimeoutMs'].flatMap((name) => {
    const phaseMs = destination[name];
    return typeof phaseMs === 'number' && typeof wholeMs === 'number' && phaseMs > wholeMs
      ? [{ path: ['destination', name], message: `must be at most ${wholeMs}, the timeoutMs of the whole` }]
      : [];
  });
}
