import { X509Certificate } from 'node:crypto';
import type { PartitionEnds } from '@databridge/kernel/kafka/watermark-reader';
import { effectiveState } from '@databridge/schemas/records/status';
import { deadTopic, FAN_OUT_GROUP, QUARANTINE_TOPIC } from '@databridge/schemas/records/topics';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';
import { lanesAmong, topicsByCustomer } from '../views/customer-lanes.ts';
import { runningIn } from '../views/status.ts';
import { committedOf } from './expiring-records.ts';

/** The writer's metrics of one customer. undefined: there is no value. */
export interface CustomerState {
  readonly disabledBy: 'operator' | 'worker' | undefined;
  /** Records that are not done, for an active customer that no running worker runs. */
  readonly unattended: number | undefined;
  /** Records that were not done and that retention has deleted. */
  readonly expired: number | undefined;
  /** Dead letters, tombstones included. */
  readonly dead: number | undefined;
  /** When the client certificate expires, in ms since the epoch. */
  readonly certificateExpiresAtMs: number | undefined;
}

export interface SystemState {
  readonly customers: ReadonlyMap<string, CustomerState>;
  readonly byState: Readonly<Record<'active' | 'paused' | 'disabled', number>>;
  readonly unattended: number;
  /** Intake records that fan-out has not committed, by topic. */
  readonly intakeWaiting: ReadonlyMap<string, number>;
  readonly quarantined: number;
  /** The running delivery workers by version. */
  readonly workers: ReadonlyMap<string, number>;
}

type Context = Pick<ControlPlaneContext, 'admin' | 'subscriptions' | 'workerStatuses' | 'workers' | 'watermarks'>;

/**
 * The state of everything that no single worker knows. Committed offsets of customers come from their status records:
 * asking thousands of groups every 30 s would be a considerable load.
 * @throws {KafkaPortError}
 */
export async function gatherState(context: Context, intakeTopics: readonly string[]): Promise<SystemState> {
  const { admin } = context;
  const [subscriptions, statuses, topics, routed] = await Promise.all([
    context.subscriptions(),
    context.workerStatuses(),
    admin.listTopics(),
    admin.committedOffsets(FAN_OUT_GROUP),
  ]);
  const own = topicsByCustomer(topics);
  const lanes = new Map([...subscriptions.keys()].map((name) => [name, lanesAmong(own.get(name) ?? [], name)]));
  const existing = new Set(topics);
  const asked = [...lanes].flatMap(([customer, of]) => [...of.keys(), deadTopic(customer)]);
  const others = [...intakeTopics, QUARANTINE_TOPIC];
  const ends = await context.watermarks([...asked, ...others].filter((topic) => existing.has(topic)));
  const { runners } = runningIn(context.workers());

  const byState = { active: 0, paused: 0, disabled: 0 };
  const customers = new Map<string, CustomerState>();
  let unattended = 0;
  for (const [customer, subscription] of subscriptions) {
    const status = statuses.get(customer);
    const state = effectiveState(subscription, status);
    byState[state]++;
    const isUnattended = state === 'active' && !runners.has(customer);
    if (isUnattended) unattended++;
    const backlog = backlogOf(
      [...(lanes.get(customer)?.keys() ?? [])],
      await committedOf(admin, customer, status),
      ends,
    );
    customers.set(customer, {
      disabledBy: state !== 'disabled' ? undefined : subscription.state === 'disabled' ? 'operator' : 'worker',
      unattended: isUnattended ? backlog.waiting : undefined,
      expired: someOf(backlog.expired),
      dead: someOf(recordsOf(ends.get(deadTopic(customer)))),
      certificateExpiresAtMs: certificateExpiry(subscription),
    });
  }
  const done = new Map(routed.map((one) => [`${one.topic}/${one.partition}`, one.offset]));
  const alive = context.workers().filter(({ isAlive }) => isAlive);
  return {
    ...{ customers, byState, unattended },
    intakeWaiting: new Map(intakeTopics.map((topic) => [topic, backlogOf([topic], done, ends).waiting])),
    quarantined: recordsOf(ends.get(QUARANTINE_TOPIC)),
    workers: countsBy(alive, ({ report }) => report.version),
  };
}

function backlogOf(
  topics: readonly string[],
  committed: ReadonlyMap<string, number>,
  ends: ReadonlyMap<string, readonly PartitionEnds[]>,
): { readonly waiting: number; readonly expired: number } {
  let waiting = 0;
  let expired = 0;
  for (const topic of topics) {
    for (const { partition, low, high } of ends.get(topic) ?? []) {
      const done = committed.get(`${topic}/${partition}`);
      waiting += Math.max(0, high - Math.max(low, done ?? low));
      if (done !== undefined) expired += Math.max(0, low - done);
    }
  }
  return { waiting, expired };
}

function recordsOf(ends: readonly PartitionEnds[] | undefined): number {
  return (ends ?? []).reduce((sum, { low, high }) => sum + high - low, 0);
}

const someOf = (count: number) => (count > 0 ? count : undefined);

function countsBy<T>(all: readonly T[], keyOf: (one: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const one of all) counts.set(keyOf(one), (counts.get(keyOf(one)) ?? 0) + 1);
  return counts;
}

/** Cached by the certificate's text: parsing thousands of them takes long. */
const expiries = new Map<string, { readonly certificate: string; readonly atMs: number }>();

function certificateExpiry({ customer, tls }: Subscription): number | undefined {
  const certificate = tls?.clientCertificate;
  if (certificate === undefined) return undefined;
  const known = expiries.get(customer);
  if (known?.certificate === certificate) return known.atMs;
  const atMs = new X509Certificate(certificate).validToDate.getTime();
  expiries.set(customer, { certificate, atMs });
  return atMs;
}
