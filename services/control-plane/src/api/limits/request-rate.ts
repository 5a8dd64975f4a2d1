import { DatabridgeError } from '@databridge/kernel/errors';
import { INTAKE_ROLE } from '@databridge/schemas/rights/route-rights';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';

export interface RequestRates {
  /** The limit for each token of a customer or a reader. */
  readonly perMinute: number;
  /** The limit for each token of an operator. */
  readonly operatorPerMinute: number;
}

const WINDOW_MS = 60_000;
/** The limit of counters, for tokens and for addresses with wrong ones; the least recently used one is dropped. */
const MAX_COUNTERS = 10_000;

/**
 * Counts requests per token, and reports the limit by `RateLimit-Limit`, `-Remaining` and `-Reset`. A forwarded request
 * was counted where its caller sent it.
 */
export async function limitRequestRate(
  api: FastifyInstance,
  { perMinute, operatorPerMinute }: RequestRates,
): Promise<void> {
  await api.register(rateLimit, {
    enableDraftSpec: true,
    timeWindow: WINDOW_MS,
    cache: MAX_COUNTERS,
    max: ({ caller }) => (caller?.role === 'operator' ? operatorPerMinute : perMinute),
    keyGenerator: ({ caller }) => caller?.id ?? '',
    // The listener of the set-up page has limits of its own.
    allowList: ({ caller, forwarded }) =>
      caller === undefined || forwarded !== undefined || caller.role === INTAKE_ROLE,
    errorResponseBuilder: (_request, { max, ttl }) =>
      new DatabridgeError(
        'DB_RATE_LIMITED',
        `This token has used up its ${max} requests per minute; try again in ${Math.ceil(ttl / 1_000)} s`,
      ),
  });
}
