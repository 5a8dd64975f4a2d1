import type { z } from 'zod';
import type { kafkaVariables } from '../settings/config.ts';

/** What {@link kafkaVariables} read. */
export type KafkaConfig = z.output<z.ZodObject<typeof kafkaVariables>>;
