import { eventTypeVariables, kafkaVariables } from '@databridge/kernel/config';
import { keyRingVariables } from '@databridge/kernel/key-ring-settings';
import { DEFAULT_RETRY_DELAYS, parseDelay } from '@databridge/schemas/topics';
import { z } from 'zod';

export const kafkaConfig = z.object({
  ...kafkaVariables,
  /** Nothing but what a command prints, unless asked for. */
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('silent'),
});

export const applyConfig = z.object({
  ...kafkaConfig.shape,
  ...keyRingVariables,
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
});

export const topicsConfig = z.object({
  ...kafkaConfig.shape,
  /** As fan-out has it: its intake topics are created too, where producers have not done so. */
  ...eventTypeVariables,
});

export type KafkaConfig = z.output<typeof kafkaConfig>;
