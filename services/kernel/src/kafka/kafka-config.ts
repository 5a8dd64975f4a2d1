import type { z } from 'zod';
import type { kafkaVariables } from '../settings/config.ts';

/** The values of {@link kafkaVariables}. */
export type KafkaConfig = z.output<z.ZodObject<typeof kafkaVariables>>;
