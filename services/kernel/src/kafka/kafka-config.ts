import type { z } from 'zod';
import type { kafkaVariables } from '../config.ts';

/** What {@link kafkaVariables} read. */
export type KafkaConfig = z.output<z.ZodObject<typeof kafkaVariables>>;
