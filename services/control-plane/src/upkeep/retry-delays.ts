import { duration } from '@databridge/kernel/settings/config';
import { DEFAULT_RETRY_PLAN, parseRetryPlan } from '@databridge/schemas/retries/retry-plan';
import { z } from 'zod';

/** The retry plan, as the delivery workers have it. */
export const retryPlanVariables = {
  /** Its delays are the lanes that a customer's topics are made for; forecasts go by all of it. */
  RETRY_PLAN: z
    .string()
    .default(DEFAULT_RETRY_PLAN)
    .transform((text, context) => {
      // Whether it fits the window, the workers check: they refuse to start with one that does not.
      const plan = parseRetryPlan(text, Number.POSITIVE_INFINITY);
      if (!('mistake' in plan)) return plan;
      context.addIssue({ code: 'custom', message: plan.mistake });
      return z.NEVER;
    }),
  /** An event is given up, or the customer disabled, once so much has passed since the event's first attempt. */
  RETRY_WINDOW: duration('24h'),
} as const;
