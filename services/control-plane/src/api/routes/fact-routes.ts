/** The facts of this deployment that customers need in order to let its requests in. */
import type { RetryPlan } from '@databridge/schemas/retries/retry-plan';
import { z } from 'zod';
import type { Api } from '../context.ts';
import { problems } from '../problem.ts';

export interface ServiceFacts {
  /** Addresses and CIDR ranges. */
  readonly egressAddresses?: readonly string[];
  /** An ARN. */
  readonly awsPrincipal?: string;
}

const factsAnswer = z
  .object({
    egressAddresses: z
      .array(z.string())
      .optional()
      .describe('addresses and CIDR ranges that requests come from (EGRESS_ADDRESSES); absent: not stated'),
    awsPrincipal: z
      .string()
      .optional()
      .describe('the principal in the trust policy of a role (AWS_PRINCIPAL); absent: not stated'),
    budget: z
      .object({ maxAttempts: z.int(), windowMs: z.int() })
      .describe('how often and for how long an event is attempted'),
  })
  .meta({ id: 'Facts' });

export function factRoutes(
  api: Api,
  { facts, retryPlan }: { readonly facts: ServiceFacts; readonly retryPlan: RetryPlan },
): void {
  const { egressAddresses, awsPrincipal } = facts;
  const answer = {
    ...(egressAddresses && { egressAddresses: [...egressAddresses] }),
    ...(awsPrincipal !== undefined && { awsPrincipal }),
    budget: { maxAttempts: retryPlan.maxAttempts, windowMs: retryPlan.windowMs },
  };
  api.get(
    '/v1/facts',
    {
      schema: {
        tags: ['catalogue'],
        summary: 'What a destination must let in: the addresses that requests come from, and the AWS principal',
        response: { 200: factsAnswer, ...problems },
      },
    },
    () => answer,
  );
}
