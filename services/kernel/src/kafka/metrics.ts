import { Counter, type Registry } from 'prom-client';

const OFFSET_JUMPS = 'databridge_kafka_offset_jumps_total';

/** One counter a registry, however many consumers share it. */
export function offsetJumps(registry: Registry): Counter<'group' | 'topic'> {
  return (
    (registry.getSingleMetric(OFFSET_JUMPS) as Counter<'group' | 'topic'> | undefined) ??
    new Counter({
      name: OFFSET_JUMPS,
      help: 'Committed offsets that were out of range, so that reading started over from the oldest record',
      labelNames: ['group', 'topic'],
      registers: [registry],
    })
  );
}
