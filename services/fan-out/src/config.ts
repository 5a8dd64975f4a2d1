import {
  eventTypeVariables,
  kafkaVariables,
  registryVariables,
  serviceVariables,
  whole,
} from '@databridge/kernel/settings/config';
import { tracingVariables } from '@databridge/kernel/tracing/tracing';
import { z } from 'zod';

export const fanOutVariables = z.object({
  ...kafkaVariables,
  ...registryVariables,
  ...serviceVariables,
  ...tracingVariables,
  ...eventTypeVariables,
  /** The limit of intake records in memory that are fetched and not yet committed. */
  MAX_IN_FLIGHT_MIB: whole(32, 8, 4_096),
  /** The limit of one record batch of the intake after decompression; a larger one is quarantined. */
  MAX_BATCH_MIB: whole(16, 1, 1_024),
});

export type FanOutConfig = z.output<typeof fanOutVariables>;
