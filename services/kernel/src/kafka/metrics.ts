import { Counter, type Registry } from 'prom-client';

const OFFSET_JUMPS = 'databridge_kafka_offset_jumps_total';

/**
 * One counter per registry, however many consumers share it. It has no labels, so it exists at 0 from the start of the
 * process: an alert on its increase would miss the first jump of a series that begins with 1. The log line has the group
 * and the topic.
 */
export function offsetJumps(registry: Registry): Counter {
  return (
    (registry.getSingleMetric(OFFSET_JUMPS) as Counter | undefined) ??
    new Counter({
      name: OFFSET_JUMPS,
      help: 'Committed offsets that were out of range, so that reading started over from the oldest record',
      registers: [registry],
    })
  );
}
