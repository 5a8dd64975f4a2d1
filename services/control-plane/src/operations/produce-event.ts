/** Writes one event to the intake as a producer would: for trials and support, not for a stream of events. */
import { randomUUID } from 'node:crypto';
import { DatabridgeError } from '@databridge/kernel/errors';
import { SchemaRegistry, type SchemaRegistrySettings } from '@databridge/kernel/registry/schema-registry';
import type { EventType } from '@databridge/schemas/event/event-types';
import { formatSource, HEADER } from '@databridge/schemas/records/headers';
import { effectiveState } from '@databridge/schemas/records/status';
import { compileFilter } from '@databridge/schemas/subscription/filter/event-filter';
import { matches } from '@databridge/schemas/subscription/match';
import { storedMatch } from '@databridge/schemas/subscription/routing';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';

/** The configured event types, and the ids of their schemas. */
export interface Intake {
  readonly eventTypes: readonly EventType[];
  /** @throws {DatabridgeError} DB_REGISTRY_UNAVAILABLE, DB_REGISTRY_REFUSED, DB_CONFIG_INVALID */
  schemaIdOf(type: EventType): Promise<number>;
}

/** @param settings undefined if no event can be encoded */
export function intakeOf(eventTypes: readonly EventType[], settings: SchemaRegistrySettings | undefined): Intake {
  const registry = settings === undefined ? undefined : new SchemaRegistry(settings);
  return {
    eventTypes,
    async schemaIdOf({ subject, schemaJson }) {
      if (registry !== undefined) return await registry.register(subject, schemaJson);
      throw new DatabridgeError(
        'DB_CONFIG_INVALID',
        'The control plane has no SCHEMA_REGISTRY_URL, so it cannot encode events: set it as fan-out has it',
      );
    },
  };
}

export interface ProducedEvent {
  readonly eventId: string;
  readonly eventType: string;
  readonly topic: string;
  /** Its position in the intake, which attempts have as their source. */
  readonly source: string;
  /**
   * The customers whose `match` and `filter` accept the event. Those that are not active receive it when they are
   * resumed.
   */
  readonly customers: { readonly customer: string; readonly state: 'active' | 'paused' | 'disabled' }[];
}

/**
 * @param event fits the schema: see {@link EventType.misfitsOf}
 * @param eventId left out: a new one
 * @throws {DatabridgeError} as {@link Intake.schemaIdOf} and Kafka's producer do
 */
export async function produceEvent(
  context: Pick<ControlPlaneContext, 'producer' | 'subscriptions' | 'workerStatuses'>,
  intake: Intake,
  type: EventType,
  event: unknown,
  eventId = `evt_${randomUUID()}`,
): Promise<ProducedEvent> {
  const value = type.encode(await intake.schemaIdOf(type), event);
  const [subscriptions, statuses] = await Promise.all([context.subscriptions(), context.workerStatuses()]);
  const receivers = receiversOf(type, value, [...subscriptions.values()]);
  const customers = receivers.map((subscription) => ({
    customer: subscription.customer,
    state: effectiveState(subscription, statuses.get(subscription.customer)),
  }));
  customers.sort((one, other) => (one.customer < other.customer ? -1 : 1));
  const record = { topic: type.topic, key: eventId, value, headers: { [HEADER.eventId]: eventId } };
  const { topic, partition, offset } = await context.producer.sendOne(record);
  return { eventId, eventType: type.name, topic, source: formatSource(topic, partition, offset), customers };
}

/** The decision of fan-out: a filter that fails lets the event through. */
function receiversOf(type: EventType, value: Buffer, subscriptions: readonly Subscription[]): Subscription[] {
  const reader = type.readerFor(type.schemaJson);
  const routing = reader.routing(value);
  const event = reader.decoded(value);
  return subscriptions.filter((subscription) => {
    if (subscription.awaitsApproval === true) return false;
    const interest = { eventTypes: subscription.eventTypes, match: storedMatch(subscription.match) };
    if (!matches(interest, type.name, routing)) return false;
    return [subscription.filter, subscription.granted?.filter].every((filter) => {
      const compiled = filter === undefined ? undefined : compileFilter(filter, type.fields);
      return !compiled?.ok || compiled.filter.test(event).kind !== 'differs';
    });
  });
}
