import { messageOf } from '@databridge/kernel/errors';
import type { Logger } from '@databridge/kernel/log';
import { EventReaders } from '@databridge/kernel/registry/event-readers';
import { SchemaRegistry, type SchemaRegistrySettings } from '@databridge/kernel/registry/schema-registry';
import { schemaIdOf } from '@databridge/schemas/event/confluent-frame';
import { describedEventType } from '@databridge/schemas/event/event-types';
import { within } from '../within.ts';

export type RenderedEvent =
  | { readonly event: unknown }
  /** Why it can't be shown. */
  | { readonly unreadable: string };

/** Shows an event as the document that customers get. */
export interface EventRenderer {
  /** @param sections those that the customer gets; left out: all */
  render(eventType: string, value: Buffer | null, sections?: readonly string[]): Promise<RenderedEvent>;
  stop(): void;
}

/** Somebody waits in front of a screen. */
const REGISTRY_WITHIN_MS = 5_000;

/** @param registry undefined: no event can be shown */
export function eventRenderer(registry: SchemaRegistrySettings | undefined, log: Logger): EventRenderer {
  if (registry === undefined) {
    const unreadable = 'the control plane has no SCHEMA_REGISTRY_URL, so it can not read events';
    return { render: async () => ({ unreadable }), stop: () => undefined };
  }
  const readers = new EventReaders({ registry: new SchemaRegistry(registry), log });
  return {
    async render(eventType, value, sections) {
      const type = describedEventType(eventType);
      if (type === undefined) return { unreadable: `there is no schema for event type "${eventType}"` };
      if (value === null) return { unreadable: 'it has no value' };
      const schemaId = schemaIdOf(value);
      if (typeof schemaId !== 'number') return { unreadable: schemaId.malformed };
      try {
        const lookup = await within(REGISTRY_WITHIN_MS, readers.load(type, schemaId), 'ask the schema registry');
        if (lookup.kind === 'unreadable') return { unreadable: lookup.detail };
        return { event: JSON.parse(lookup.reader.json(value, sections), exactNumber) };
      } catch (error) {
        return { unreadable: messageOf(error) };
      }
    },
    stop: () => readers.stop(),
  };
}

/** What TypeScript doesn't know of Node's JSON yet. */
const EXACT_JSON = JSON as unknown as { rawJSON(text: string): unknown };

/** A long may have more digits than a number of JavaScript: they are shown as they stand. */
function exactNumber(_name: string, value: unknown, { source }: { source?: string } = {}): unknown {
  return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) && source !== undefined
    ? EXACT_JSON.rawJSON(source)
    : value;
}
