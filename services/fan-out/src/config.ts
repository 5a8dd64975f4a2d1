import { kafkaVariables, registryVariables, serviceVariables, whole } from '@databridge/kernel/config';
import { messageOf } from '@databridge/kernel/errors';
import { loadEventTypes } from '@databridge/schemas/event-types';
import { z } from 'zod';

export const fanOutVariables = z.object({
  ...kafkaVariables,
  ...registryVariables,
  ...serviceVariables,
  /** Event types and their intake topics: `root-cause=root-cause.events,other=other.events`. */
  EVENT_TYPES: z
    .string()
    .default('root-cause=root-cause.events')
    .transform((line, context) => {
      try {
        return loadEventTypes(line);
      } catch (error) {
        context.addIssue({ code: 'custom', message: messageOf(error) });
        return z.NEVER;
      }
    }),
  /** How much of the intake may be in memory: fetched, not yet committed. */
  MAX_IN_FLIGHT_MIB: whole(32, 8, 4_096),
});

export type FanOutConfig = z.output<typeof fanOutVariables>;
