/** Sets the retention of customers' topics: by what each subscription states, and by whether the customer is stopped. */
import type { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { DAY_MS, QUARANTINE_DAYS, retentionMs, WARNING_MS } from '@databridge/schemas/privacy/retention';
import { effectiveState } from '@databridge/schemas/records/status';
import { deadTopic, deliveryGroup, LETTERS_POLICY, QUARANTINE_TOPIC } from '@databridge/schemas/records/topics';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';
import { lanesAmong, lanesOf } from '../views/customer-lanes.ts';

const RETENTION = 'retention.ms';
const POLICY = 'cleanup.policy';
/** The longest retention, in ms: 40 years. */
const LONGEST_MS = 40 * 365 * DAY_MS;

/**
 * Raises the retention of a customer's lanes before it is stopped, so that no record expires unseen in the meantime.
 */
export async function keepWhileStopped(
  admin: Pick<KafkaAdmin, 'listTopics' | 'topicSettings' | 'changeTopicSettings'>,
  { customer, retention }: Pick<Subscription, 'customer' | 'retention'>,
): Promise<void> {
  const wanted = retentionMs(retention, true);
  const lanes = await lanesOf(admin, customer);
  const settings = await admin.topicSettings([...lanes.keys()]);
  for (const [topic, lane] of lanes) {
    const limitMs = lane === 'main' ? wanted.delivery : wanted.retry;
    if (keptMs(settings.get(topic)) < limitMs) await setLimit(admin, topic, limitMs);
  }
}

export interface TendedRetention {
  /** The number of topics that now keep their records for longer. */
  readonly longer: readonly string[];
  /** Topics that now keep their records for a shorter time: nothing that waits is deleted by it before it was alerted. */
  readonly shorter: readonly string[];
}

/**
 * Sets the retention of all customers' topics by their states, and that of the quarantine. Runs periodically, since workers
 * disable customers by themselves and backlogs drain at any time. What keeps records for too short a time is raised at
 * once; what is to be deleted earlier must not be surprising:
 *
 * - of an active customer, once all that is older than half of the limit is done;
 * - of a stopped one, once nothing that waits would be deleted within {@link WARNING_MS};
 * - dead letters, when the subscription states it.
 *
 * Topics from before they had a limit get one that deletes nothing within {@link WARNING_MS}: a multiple of the usual one.
 */
export async function tendRetention(
  context: Pick<ControlPlaneContext, 'workerStatuses' | 'subscriptions' | 'operations' | 'admin'>,
  nowMs: number,
): Promise<TendedRetention> {
  const { admin } = context;
  const [subscriptions, workers, topics] = await Promise.all([
    context.subscriptions(),
    context.workerStatuses(),
    admin.listTopics(),
  ]);
  const isErasing = [...(await context.operations()).values()].some(
    ({ kind, state }) => kind === 'erase' && state === 'running',
  );
  const tended = { longer: [] as string[], shorter: [] as string[] };
  const existing = new Set(topics);
  for (const [customer, subscription] of subscriptions) {
    const isStopped = effectiveState(subscription, workers.get(customer)) !== 'active';
    const wanted = retentionMs(subscription.retention, isStopped);
    const lanes = lanesAmong(topics, customer);
    const letters = existing.has(deadTopic(customer)) ? [deadTopic(customer)] : [];
    const settings = await admin.topicSettings([...lanes.keys(), ...letters]);
    for (const [topic, lane] of lanes) {
      const limitMs = lane === 'main' ? wanted.delivery : wanted.retry;
      if (!isErasing) await endCompaction(admin, topic, settings.get(topic));
      await tendLane(admin, { customer, topic, isStopped, limitMs, nowMs }, settings.get(topic), tended);
    }
    const isStated = subscription.retention?.deadLetterDays !== undefined;
    for (const topic of letters) {
      await tendLetters(admin, { topic, limitMs: wanted.deadLetters, isStated, nowMs }, settings.get(topic), tended);
    }
  }
  if (!existing.has(QUARANTINE_TOPIC)) return tended;
  const quarantine = (await admin.topicSettings([QUARANTINE_TOPIC])).get(QUARANTINE_TOPIC);
  const limitMs = QUARANTINE_DAYS * DAY_MS;
  await tendLetters(admin, { topic: QUARANTINE_TOPIC, limitMs, isStated: false, nowMs }, quarantine, tended);
  return tended;
}

type Settings = Readonly<Record<string, string>> | undefined;

/** The retention in ms; infinity for a topic without a limit. */
function keptMs(settings: Settings): number {
  const stated = Number(settings?.[RETENTION] ?? Number.NaN);
  return stated >= 0 ? stated : Number.POSITIVE_INFINITY;
}

interface Limited {
  readonly topic: string;
  readonly limitMs: number;
  readonly nowMs: number;
}

/** Lanes are compacted only while a call is erased, which ends it by itself (docs/decisions/erasure.md): this is a second line of defense. */
async function endCompaction(admin: KafkaAdmin, topic: string, settings: Settings): Promise<void> {
  if (settings?.[POLICY]?.includes('compact')) await admin.changeTopicSettings([topic], { [POLICY]: 'delete' });
}

async function tendLane(
  admin: KafkaAdmin,
  lane: Limited & { readonly customer: string; readonly isStopped: boolean },
  settings: Settings,
  tended: { readonly longer: string[]; readonly shorter: string[] },
): Promise<void> {
  const { topic, limitMs, isStopped, nowMs } = lane;
  const now = keptMs(settings);
  if (now === limitMs) return;
  if (now < limitMs) {
    await setLimit(admin, topic, limitMs);
    tended.longer.push(topic);
    return;
  }
  const waits = await waitingSince(admin, lane.customer, topic);
  const safe = async (ms: number) => !(await waits(nowMs - (isStopped ? ms - WARNING_MS : ms / 2)));
  // While a customer is stopped its backlog does not drain: a limit that fits it is determined.
  const limit = isStopped && now === Number.POSITIVE_INFINITY ? await firstSafe(limitMs, safe) : limitMs;
  if (limit === undefined || !(await safe(limit))) return;
  await setLimit(admin, topic, limit);
  tended.shorter.push(topic);
}

async function tendLetters(
  admin: KafkaAdmin,
  { topic, limitMs, isStated, nowMs }: Limited & { readonly isStated: boolean },
  settings: Settings,
  tended: { readonly longer: string[]; readonly shorter: string[] },
): Promise<void> {
  const isLimited = settings?.[POLICY] === LETTERS_POLICY;
  const now = isLimited ? keptMs(settings) : Number.POSITIVE_INFINITY;
  if (now === limitMs || (isLimited && now > limitMs && !isStated)) return;
  const hasRecordsBefore = await recordsBefore(admin, topic);
  const safe = async (ms: number) => !(await hasRecordsBefore(nowMs - (ms - WARNING_MS)));
  const limit = isLimited || isStated ? limitMs : await firstSafe(limitMs, safe);
  if (limit === undefined) return;
  await admin.changeTopicSettings([topic], { [POLICY]: LETTERS_POLICY, [RETENTION]: String(limit) });
  tended[now < limit ? 'longer' : 'shorter'].push(topic);
}

/** @returns the limit, or the smallest of its doubles that is safe; undefined if none is */
async function firstSafe(limitMs: number, isSafe: (ms: number) => Promise<boolean>): Promise<number | undefined> {
  for (let ms = limitMs; ms <= LONGEST_MS; ms *= 2) if (await isSafe(ms)) return ms;
  return undefined;
}

async function setLimit(admin: Pick<KafkaAdmin, 'changeTopicSettings'>, topic: string, ms: number): Promise<void> {
  await admin.changeTopicSettings([topic], { [RETENTION]: String(ms) });
}

/** @returns whether records that were appended before a time are not done */
async function waitingSince(admin: KafkaAdmin, customer: string, topic: string) {
  const commits = await admin.committedOffsets(deliveryGroup(customer));
  const lows = new Map((await admin.watermarks(topic)).map(({ partition, low }) => [partition, low]));
  return async (atMs: number) => {
    const young = await admin.offsetsAtTime(topic, Math.max(0, atMs));
    return young.some(({ partition, offset }) => {
      const committed = commits.find((one) => one.topic === topic && one.partition === partition);
      return offset > (committed?.offset ?? lows.get(partition) ?? 0);
    });
  };
}

/** @returns whether the topic contains records that were appended before a time */
async function recordsBefore(admin: KafkaAdmin, topic: string) {
  const lows = new Map((await admin.watermarks(topic)).map(({ partition, low }) => [partition, low]));
  return async (atMs: number) => {
    const young = await admin.offsetsAtTime(topic, Math.max(0, atMs));
    return young.some(({ partition, offset }) => offset > (lows.get(partition) ?? 0));
  };
}
