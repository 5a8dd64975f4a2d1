/** The time limits that every destination has. */
import { z } from 'zod';
import type { Issue } from '../subscription/issue-words.ts';

/** In ms. No phase has a longer limit than the whole. */
export interface TimeSettings {
  /** For the whole exchange, from the wait for a connection to the last byte of the answer. */
  readonly timeoutMs: number;
  /** Until there is a connection: name, TCP, TLS. Left out: 5 s, or the whole if that is shorter. */
  readonly connectTimeoutMs?: number | undefined;
  /** From there until the answer's headers have come. Left out: the whole. */
  readonly headersTimeoutMs?: number | undefined;
  /** From there until its last byte has. Left out: the whole. */
  readonly bodyTimeoutMs?: number | undefined;
}

// The retry plan's 185 attempts leave about 20 s for each in their 24 hours.
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
