/** The records that retention is about to delete. */
import { DAY_MS, WARNING_MS } from '@databridge/schemas/privacy/retention';
import type { WorkerStatus } from '@databridge/schemas/records/status';
import { deadTopic, deliveryGroup, QUARANTINE_TOPIC } from '@databridge/schemas/records/topics';
import type { ControlPlaneContext } from '../context.ts';
import { waitingRecords } from '../explain/waiting-records.ts';
import { lanesAmong, topicsByCustomer } from '../views/customer-lanes.ts';

/**
 * Counts by the current settings of the topics. Those of dead letters and quarantined records include some that were
 * already removed.
 */
export interface Expiring {
  /** Waiting records by customer: within a day, or within a week where records are kept for more than 30 days. */
  readonly waiting: ReadonlyMap<string, number>;
  /** The earliest time when the first of those is deleted, by customer, in ms since the epoch. */
  readonly deadlines: ReadonlyMap<string, number>;
  /** Dead letters by customer, within a week. */
  readonly deadLetters: ReadonlyMap<string, number>;
  /** Quarantined records, within a week. */
  readonly quarantined: number;
}

export const NOTHING_EXPIRES: Expiring = {
  waiting: new Map(),
  deadlines: new Map(),
  deadLetters: new Map(),
  quarantined: 0,
};

type Context = Pick<ControlPlaneContext, 'admin' | 'kafka' | 'erasures' | 'subscriptions' | 'workerStatuses'>;

export async function expiringRecords(context: Context, nowMs: number): Promise<Expiring> {
  const { admin } = context;
  const [subscriptions, statuses, topics] = await Promise.all([
    context.subscriptions(),
    context.workerStatuses(),
    admin.listTopics(),
  ]);
  const own = topicsByCustomer(topics);
  const waiting = new Map<string, number>();
  const keptMsOf = new Map<string, number>();
  const deadLetters = new Map<string, number>();
  for (const customer of subscriptions.keys()) {
    const existing = own.get(customer) ?? [];
    const committed = await committedOf(admin, customer, statuses.get(customer));
    const lanes = [...lanesAmong(existing, customer).keys()];
    const settings = await admin.topicSettings(lanes);
    let count = 0;
    for (const topic of lanes) {
      const keptMs = Number(settings.get(topic)?.['retention.ms'] ?? -1);
      if (keptMs < 0) continue;
      keptMsOf.set(topic, keptMs);
      const withinMs = keptMs > 30 * DAY_MS ? WARNING_MS : DAY_MS;
      for (const { partition, offset } of await admin.offsetsAtTime(topic, Math.max(0, nowMs - keptMs + withinMs))) {
        count += Math.max(0, offset - (committed.get(`${topic}/${partition}`) ?? 0));
      }
    }
    if (count > 0) waiting.set(customer, count);
    const dead = existing.includes(deadTopic(customer)) ? await expiringLetters(admin, deadTopic(customer), nowMs) : 0;
    if (dead > 0) deadLetters.set(customer, dead);
  }
  const quarantined = topics.includes(QUARANTINE_TOPIC) ? await expiringLetters(admin, QUARANTINE_TOPIC, nowMs) : 0;
  const deadlines = await deadlinesOf(context, [...waiting.keys()], keptMsOf);
  return { waiting, deadlines, deadLetters, quarantined };
}

async function deadlinesOf(
  context: Context,
  customers: readonly string[],
  keptMsOf: ReadonlyMap<string, number>,
): Promise<ReadonlyMap<string, number>> {
  const deadlines = new Map<string, number>();
  if (customers.length === 0) return deadlines;
  for (const { customer, topic, atMs } of (await waitingRecords(context, customers, { main: 1, retry: 1 })).records) {
    const deadlineMs = atMs + (keptMsOf.get(topic) ?? Number.POSITIVE_INFINITY);
    deadlines.set(customer, Math.min(deadlineMs, deadlines.get(customer) ?? Number.POSITIVE_INFINITY));
  }
  return deadlines;
}

async function expiringLetters(admin: ControlPlaneContext['admin'], topic: string, nowMs: number): Promise<number> {
  const { 'cleanup.policy': policy = '', 'retention.ms': kept = '-1' } =
    (await admin.topicSettings([topic])).get(topic) ?? {};
  if (!policy.includes('delete') || Number(kept) < 0) return 0;
  const lows = new Map((await admin.watermarks(topic)).map(({ partition, low }) => [partition, low]));
  const young = await admin.offsetsAtTime(topic, Math.max(0, nowMs - Number(kept) + WARNING_MS));
  return young.reduce((sum, { partition, offset }) => sum + Math.max(0, offset - (lows.get(partition) ?? 0)), 0);
}

/** Returns the committed offsets of the customer's lanes, by `topic/partition`. */
export async function committedOf(
  admin: Pick<ControlPlaneContext['admin'], 'committedOffsets'>,
  customer: string,
  status: WorkerStatus | undefined,
): Promise<ReadonlyMap<string, number>> {
  const committed = status?.committed ?? (await admin.committedOffsets(deliveryGroup(customer)));
  return new Map(committed.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]));
}
