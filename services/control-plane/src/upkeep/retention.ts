import type { KafkaAdmin } from '@databridge/kernel/kafka/admin';
import { effectiveState } from '@databridge/schemas/records/status';
import { DELIVERY_RETENTION_MS, deliveryGroup } from '@databridge/schemas/records/topics';
import type { ControlPlaneContext } from '../context.ts';
import { lanesAmong, lanesOf } from '../views/customer-lanes.ts';

const SETTING = 'retention.ms';
const UNLIMITED = '-1';
/** Half of the retention: a backlog younger than this has at least as long before it would expire. */
const SAFE_AGE_MS = DELIVERY_RETENTION_MS / 2;

/** Removes the retention limit of the customer's lanes, so that nothing expires while the customer is stopped. */
export async function keepWithoutLimit(
  admin: Pick<KafkaAdmin, 'listTopics' | 'changeTopicSettings'>,
  customer: string,
): Promise<void> {
  await admin.changeTopicSettings([...(await lanesOf(admin, customer)).keys()], { [SETTING]: UNLIMITED });
}

export interface TendedRetention {
  /** Topics that now keep everything: their customers are paused or disabled. */
  readonly unlimited: readonly string[];
  /** Topics that have the usual retention again: their customers are active, and their old backlogs delivered. */
  readonly usual: readonly string[];
}

/**
 * Sets every customer's retention by its state. Runs periodically, since workers disable customers by themselves and
 * backlogs drain at any time.
 */
export async function tendRetention(
  context: Pick<ControlPlaneContext, 'workerStatuses' | 'subscriptions' | 'admin'>,
  nowMs: number,
): Promise<TendedRetention> {
  const { admin } = context;
  const [subscriptions, workers, topics] = await Promise.all([
    context.subscriptions(),
    context.workerStatuses(),
    admin.listTopics(),
  ]);
  const unlimited: string[] = [];
  const usual: string[] = [];
  for (const [customer, subscription] of subscriptions) {
    const lanes = [...lanesAmong(topics, customer).keys()];
    if (effectiveState(subscription, workers.get(customer)) !== 'active') {
      unlimited.push(...(await admin.changeTopicSettings(lanes, { [SETTING]: UNLIMITED })));
      continue;
    }
    const settings = await admin.topicSettings(lanes);
    const unlimitedLanes = lanes.filter((topic) => settings.get(topic)?.[SETTING] === UNLIMITED);
    const drained = unlimitedLanes.length > 0 ? await lanesDoneUntil(admin, customer, unlimitedLanes, nowMs) : [];
    usual.push(...(await admin.changeTopicSettings(drained, { [SETTING]: String(DELIVERY_RETENTION_MS) })));
  }
  return { unlimited, usual };
}

/** The lanes where all that is older than {@link SAFE_AGE_MS} is done. */
async function lanesDoneUntil(
  admin: KafkaAdmin,
  customer: string,
  lanes: readonly string[],
  nowMs: number,
): Promise<string[]> {
  const commits = await admin.committedOffsets(deliveryGroup(customer));
  const isDrained = async (topic: string) => {
    const young = await admin.offsetsAtTime(topic, nowMs - SAFE_AGE_MS);
    const lows = new Map((await admin.watermarks(topic)).map(({ partition, low }) => [partition, low]));
    return young.every(({ partition, offset }) => {
      const committed = commits.find((one) => one.topic === topic && one.partition === partition);
      return offset <= (committed?.offset ?? lows.get(partition) ?? 0);
    });
  };
  const drained: string[] = [];
  for (const topic of lanes) if (await isDrained(topic)) drained.push(topic);
  return drained;
}
