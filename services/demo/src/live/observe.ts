/** Observes the running system from outside, as an operator's tools do: metrics, logs, topics and group offsets. */
import type { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { decodeOffsetSet } from '@databridge/kernel/offsets/offset-set';
import { deliveryGroup, deliveryTopic, retryTopic } from '@databridge/schemas/records/topics';
import type { Child } from '../child.ts';
import { CAST, type CastMember, EVENT_TYPE, RETRY_PLAN } from '../customers/cast.ts';

export interface CustomerSnapshot extends CastMember {
  /** Records that fan-out wrote for this customer. */
  readonly written: number;
  readonly delivered: number;
  /** Attempts that failed. */
  readonly failures: number;
  readonly waitingInMain: number;
  readonly waitingInRetry: number;
  /** Records in all its lanes whose offsets are not yet committed; this number lags behind the others a little. */
  readonly uncommitted: number;
  readonly dead: number;
  readonly breaker: 'closed' | 'half-open' | 'open';
}

export interface Snapshot {
  readonly matched: number;
  readonly unmatched: number;
  readonly quarantined: number;
  readonly customers: readonly CustomerSnapshot[];
}

/** Counts intake records by outcome. Select one event type: notices are counted apart, and not part of the demo's total. */
export const FAN_OUT_EVENTS = 'databridge_fan_out_events_total';

const BREAKER_STATES = ['closed', 'half-open', 'open'] as const;
const RETRY_DELAYS = RETRY_PLAN.split(',').map((step) => step.split('*')[0] ?? '');

export async function takeSnapshot(admin: KafkaAdmin, fanOut: Child, delivery: Child): Promise<Snapshot> {
  const [fanOutMetrics, deliveryMetrics] = await Promise.all([fanOut.metrics(), delivery.metrics()]);
  const events = (outcome: string) => sumOf(fanOutMetrics, FAN_OUT_EVENTS, { event_type: EVENT_TYPE, outcome });
  const customers = CAST.map(async (member): Promise<CustomerSnapshot> => {
    const { customer } = member;
    const attempts = sumOf(deliveryMetrics, 'databridge_delivery_attempts_total', { customer });
    const delivered = sumOf(deliveryMetrics, 'databridge_delivery_attempts_total', { customer, outcome: 'delivered' });
    const breaker = sumOf(deliveryMetrics, 'databridge_delivery_breaker_state', { customer });
    const dead = sumOf(deliveryMetrics, 'databridge_delivery_dead_letters_total', { customer });
    const { written, inMain, inRetry } = await backlogOf(admin, customer);
    // Offsets are committed a moment after the deliveries that the metrics count: the sum comes from these.
    const waiting = Math.max(0, written - delivered - dead);
    const waitingInRetry = Math.min(waiting, inRetry);
    return {
      ...member,
      written,
      delivered,
      failures: attempts - delivered,
      waitingInMain: waiting - waitingInRetry,
      waitingInRetry,
      uncommitted: inMain + inRetry,
      dead,
      breaker: BREAKER_STATES[breaker] ?? 'closed',
    };
  });
  return {
    matched: events('matched'),
    unmatched: events('unmatched'),
    quarantined: events('quarantined'),
    customers: await Promise.all(customers),
  };
}

export async function writtenFor(admin: KafkaAdmin, customer: string): Promise<number> {
  return (await admin.watermarks(deliveryTopic(customer))).reduce((sum, { high }) => sum + high, 0);
}

async function backlogOf(admin: KafkaAdmin, customer: string) {
  const committed = new Map<string, number>();
  for (const { topic, partition, offset, metadata } of await admin.committedOffsets(deliveryGroup(customer))) {
    const doneBeyond = decodeOffsetSet(offset, metadata).reduce((sum, { from, to }) => sum + to - from, 0);
    committed.set(`${topic}/${partition}`, offset + doneBeyond);
  }
  // A customer that never failed has no retry lanes.
  const existing = new Set(await admin.listTopics());
  const lagOf = async (topic: string) => {
    if (!existing.has(topic)) return 0;
    const partitions = await admin.watermarks(topic);
    return partitions.reduce(
      (sum, { partition, high }) => sum + high - (committed.get(`${topic}/${partition}`) ?? 0),
      0,
    );
  };
  const [written, inMain, ...inLanes] = await Promise.all([
    writtenFor(admin, customer),
    lagOf(deliveryTopic(customer)),
    ...RETRY_DELAYS.map((delay) => lagOf(retryTopic(customer, delay))),
  ]);
  return { written, inMain, inRetry: inLanes.reduce((sum, lag) => sum + lag, 0) };
}

/** Sums the samples of a metric in Prometheus' text format that have these labels. */
export function sumOf(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number {
  let sum = 0;
  for (const line of text.split('\n')) {
    if (!line.startsWith(name)) continue;
    const [, found, given = '', value] = /^([a-z0-9_]+)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
    const hasLabels = Object.entries(labels).every(([label, wanted]) => given.includes(`${label}="${wanted}"`));
    if (found === name && hasLabels) sum += Number(value);
  }
  return sum;
}
