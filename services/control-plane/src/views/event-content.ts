/** The content of an event that was sent to a customer, from its record in the intake. */
import { readTopicIfAny } from '@databridge/kernel/kafka/topic-reader';
import type { EventType } from '@databridge/schemas/event/event-types';
import { parseSource } from '@databridge/schemas/records/headers';
import type { ControlPlaneContext } from '../context.ts';
import type { AttemptView } from './attempts/attempt-view.ts';
import type { EventRenderer, RenderedEvent } from './render-event.ts';

interface Parts {
  readonly operations: Pick<ControlPlaneContext, 'kafka' | 'erasures'>;
  readonly attempts: Pick<AttemptView, 'find'>;
  readonly events: Pick<EventRenderer, 'render'>;
  readonly eventTypes: readonly Pick<EventType, 'name' | 'topic'>[];
}

interface Asked {
  readonly customer: string;
  readonly eventId: string;
  /** The sections that the customer gets; if omitted, all. */
  readonly sections: readonly string[] | undefined;
}

/**
 * Only events with an attempt: so nobody reads an event that was not sent to this customer.
 * @returns undefined if no attempt at it is known, or it was erased
 * @throws {KafkaPortError}
 */
export async function eventContent(
  { operations, attempts, events, eventTypes }: Parts,
  { customer, eventId, sections }: Asked,
): Promise<RenderedEvent | undefined> {
  await operations.erasures.refreshed();
  const [seen] = attempts.find({ customer, eventId, limit: 1 });
  if (seen === undefined || operations.erasures.events.has(seen.attempt)) return undefined;
  const place = parseSource(seen.attempt.source ?? '');
  const type = eventTypes.find(({ topic }) => topic === place?.topic);
  if (place === undefined || type === undefined) return { unreadable: 'its source record is not known' };
  let value: Buffer | null | undefined;
  await readTopicIfAny(operations.kafka, place.topic, {
    within: (_topic, partition) => ({
      from: place.offset,
      to: partition === place.partition ? place.offset + 1 : place.offset,
    }),
    onBatch({ records }) {
      value = records.find(({ offset }) => offset === place.offset)?.value ?? value;
    },
  });
  if (value === undefined) return { unreadable: 'the intake topic does not keep it any more' };
  return await events.render(type.name, value, sections);
}
