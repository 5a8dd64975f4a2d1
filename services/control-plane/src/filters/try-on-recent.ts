/** Tries a filter on events that were recently written for a customer, and counts how many match. */
import { readTopicIfAny } from '@databridge/kernel/kafka/topic-reader';
import { readDeliveryHeaders } from '@databridge/schemas/records/headers';
import { deliveryTopic } from '@databridge/schemas/records/topics';
import type { ControlPlaneContext } from '../context.ts';
import type { EventRenderer } from '../views/render-event.ts';
import type { FilterTrials } from './filter-trials.ts';

export interface RecentTrial {
  /** The number of events that were tried: the newest ones in the customer's topic. */
  readonly tried: number;
  readonly passed: number;
  /** The number of events that matched because the filter could not be evaluated on them. */
  readonly failed: number;
  /** The number of events that were not tried, because they cannot be decoded. */
  readonly unreadable: number;
  /**
   * When the oldest and the newest of them were copied for the customer, ms since the epoch; absent if there is none.
   */
  readonly fromMs?: number;
  readonly toMs?: number;
}

export type RecentAnswer = RecentTrial | { readonly mistake: string };

interface Parts {
  readonly operations: Pick<ControlPlaneContext, 'kafka' | 'watermarks' | 'erasures'>;
  readonly events: Pick<EventRenderer, 'render'>;
  readonly trials: Pick<FilterTrials, 'run'>;
}

/**
 * One event at a time, so that large ones don't add up in memory. Tests, replays and erased events are none of them. What the stored
 * filter excluded is not in the customer's topic, and so not counted either.
 * @param limit events per partition of the topic
 * @returns the mistake, if the filter does not compile
 * @throws {DatabridgeError} as {@link FilterTrials.run} @throws {KafkaPortError}
 */
export async function tryOnRecent(
  { operations, events, trials }: Parts,
  { customer, filter, limit }: { readonly customer: string; readonly filter: string; readonly limit: number },
): Promise<RecentAnswer> {
  const topic = deliveryTopic(customer);
  await operations.erasures.refreshed();
  const ends = (await operations.watermarks([topic])).get(topic) ?? [];
  const counts = { tried: 0, passed: 0, failed: 0, unreadable: 0 };
  const times: number[] = [];
  let mistake: string | undefined;
  const within = (_: string, partition: number) => {
    const high = ends.find((one) => one.partition === partition)?.high ?? 0;
    return { from: Math.max(high - limit, 0), to: high };
  };
  await readTopicIfAny(operations.kafka, topic, {
    within,
    async onBatch({ records }) {
      for (const { headers, value, timestampMs } of records) {
        const facts = readDeliveryHeaders(headers);
        const { eventType, replayId, testWithinMs } = facts;
        if (value === null || mistake !== undefined || testWithinMs !== undefined || replayId !== undefined) continue;
        if (operations.erasures.events.has(facts)) continue;
        const rendered = await events.render(eventType, value);
        if ('unreadable' in rendered) {
          counts.unreadable++;
          continue;
        }
        const answer = await trials.run({ filter, eventType, document: JSON.stringify({ event: rendered.event }) });
        if (answer.kind === 'invalid') {
          mistake = answer.mistake;
          continue;
        }
        counts.tried++;
        if (answer.kind !== 'differs') counts.passed++;
        if (answer.kind === 'failed') counts.failed++;
        times.push(timestampMs);
      }
    },
  });
  if (mistake !== undefined) return { mistake };
  if (times.length === 0) return counts;
  return { ...counts, fromMs: Math.min(...times), toMs: Math.max(...times) };
}
