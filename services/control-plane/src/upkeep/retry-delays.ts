import { DEFAULT_RETRY_DELAYS, parseDelay } from '@databridge/schemas/records/topics';
import { z } from 'zod';

/** Settings of every process that creates customers' topics. */
export const retryPlanVariables = {
  /** As the delivery workers have it: its delays are the lanes that a customer's topics are made for. */
  RETRY_PLAN: z
    .string()
    .default(DEFAULT_RETRY_DELAYS.map((delay) => `${delay}*1`).join())
    .transform((text, context) => {
      const delays = text.split(',').map((step) => step.trim().split('*')[0] ?? '');
      const wrong = delays.filter((delay) => parseDelay(delay) === undefined);
      if (wrong.length > 0)
        context.addIssue({ code: 'custom', message: `"${wrong.join()}" is not a delay such as 10s` });
      return delays;
    }),
} as const;
