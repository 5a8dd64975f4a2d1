import { Counter, type Registry } from 'prom-client';

const OFFSET_JUMPS = 'databridge_kafka_offset_jumps_total';

/** One set per registry, however many consumers share it. */
function counterOf(registry: Registry, name: string, help: string, labelNames: string[] = []): Counter {
  return (
    (registry.getSingleMetric(name) as Counter | undefined) ??
    new Counter({ name, help, labelNames, registers: [registry] })
  );
}

/**
 * It has no labels, so it exists at 0 from the start of the process: an alert on its increase would miss the first jump
 * of a series that begins with 1. The log line has the group and the topic.
 */
export function offsetJumps(registry: Registry): Counter {
  return counterOf(
    registry,
    OFFSET_JUMPS,
    'Committed offsets that were out of range, so that reading started over from the oldest record',
  );
}

/** The counters of a member of a group with a fixed name; groups of customers are not included. */
export interface GroupCounts {
  /** The member joined again, after its first join. */
  rejoined(): void;
  /** The consumer failed and was restarted. */
  restarted(): void;
}

/** The counters of one group, which start at 0. */
export function groupCounts(registry: Registry, group: string): GroupCounts {
  const rebalances = counterOf(
    registry,
    'databridge_kafka_rebalances_total',
    'Rebalances of the consumer group in which this process took part, without its first join',
    ['group'],
  );
  const restarts = counterOf(
    registry,
    'databridge_kafka_consumer_restarts_total',
    'Consumers that failed and were started again',
    ['group'],
  );
  rebalances.inc({ group }, 0);
  restarts.inc({ group }, 0);
  return { rejoined: () => rebalances.inc({ group }), restarted: () => restarts.inc({ group }) };
}
