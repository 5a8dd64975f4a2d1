import type { EventReaders, ReaderLookup } from '@databridge/kernel/registry/event-readers';
import { schemaIdOf } from '@databridge/schemas/event/confluent-frame';
import type { EventType } from '@databridge/schemas/event/event-types';
import type { DeliveryHeaders } from '@databridge/schemas/records/headers';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { Message } from '../destination/destination.ts';
import type { BufferedRecord } from '../lanes/buffered-records.ts';

/** Renders a record as the destination receives it: the event in the pinned version of its schema, as JSON. */
export class EventMessages {
  readonly #eventTypes: ReadonlyMap<string, EventType>;
  readonly #readers: EventReaders;

  constructor(eventTypes: readonly EventType[], readers: EventReaders) {
    this.#eventTypes = new Map(eventTypes.map((eventType) => [eventType.name, eventType]));
    this.#readers = readers;
  }

  /**
   * Returns at once if the writer's schema is known, otherwise when the registry has answered.
   * @param subscription `sections`: those that the customer selected; if omitted, all
   * @throws if the record cannot be read: unknown event type, not a frame, an unreadable schema, damaged
   */
  render(
    record: BufferedRecord,
    attempt: number,
    { sections, enableEpoch }: Pick<Subscription<unknown>, 'sections' | 'enableEpoch'>,
  ): Message | Promise<Message> {
    const { facts, value } = record;
    const eventType = this.#eventTypes.get(facts.eventType);
    if (!eventType) throw new Error(`event type "${facts.eventType}" is not configured`);
    if (facts.testWithinMs !== undefined) return testMessage(facts, eventType, value);
    const schemaId = schemaIdOf(value);
    if (typeof schemaId !== 'number') throw new Error(schemaId.malformed);
    const compose = (lookup: ReaderLookup): Message => {
      if (lookup.kind === 'unreadable') throw new Error(lookup.detail);
      return {
        eventId: facts.eventId,
        ...(facts.source !== undefined && { source: facts.source }),
        ...(facts.replayId !== undefined && { replayId: facts.replayId }),
        enableEpoch,
        eventType: eventType.name,
        schemaVersion: eventType.schemaVersion,
        attempt,
        traceparent: facts.traceparent,
        body: lookup.reader.json(value, sections),
      };
    };
    const known = this.#readers.peek(eventType, schemaId);
    return known ? compose(known) : this.#readers.load(eventType, schemaId).then(compose);
  }
}

/** A test is rendered already: the control plane that requested it may have no registry. */
function testMessage(facts: DeliveryHeaders, { name, schemaVersion }: EventType, value: Buffer): Message {
  return {
    ...{ eventId: facts.eventId, eventType: name, schemaVersion, attempt: 1, traceparent: undefined, body: value },
    ...(facts.testVariation !== undefined && { variation: facts.testVariation }),
  };
}
