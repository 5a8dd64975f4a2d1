import { retryPlanVariables } from '@databridge/control-plane/retry-delays';
import { eventTypeVariables, kafkaVariables } from '@databridge/kernel/config';
import { keyRingVariables } from '@databridge/kernel/key-ring-settings';
import { z } from 'zod';

export const kafkaConfig = z.object({
  ...kafkaVariables,
  /** Nothing but what a command prints, unless asked for. */
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('silent'),
});

export const applyConfig = z.object({
  ...kafkaConfig.shape,
  ...keyRingVariables,
  ...retryPlanVariables,
});

export const topicsConfig = z.object({
  ...kafkaConfig.shape,
  /** As fan-out has it: its intake topics are created too, where producers have not done so. */
  ...eventTypeVariables,
});

export type KafkaConfig = z.output<typeof kafkaConfig>;
