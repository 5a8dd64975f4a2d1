import { messageOf } from '@databridge/kernel/errors';
import type { Logger } from '@databridge/kernel/log';
import { EventReaders } from '@databridge/kernel/registry/event-readers';
import { SchemaRegistry, type SchemaRegistrySettings } from '@databridge/kernel/registry/schema-registry';
import { schemaIdOf } from '@databridge/schemas/event/confluent-frame';
import { describedEventType, type EventReader } from '@databridge/schemas/event/event-types';
import { within } from '../within.ts';

export type RenderedEvent =
  | { readonly event: unknown }
  /** Why it cannot be shown. */
  | { readonly unreadable: string };

export type OpenedEvent = { readonly reader: EventReader } | { readonly unreadable: string };

/** Reads events as fan-out and delivery do, and renders them as the document that customers receive. */
export interface EventRenderer {
  /** @param sections those that the customer gets; left out: all */
  render(eventType: string, value: Buffer | null, sections?: readonly string[]): Promise<RenderedEvent>;
  /** Finds the reader of the event, which routes and decodes it. */
  open(eventType: string, value: Buffer): Promise<OpenedEvent>;
  stop(): void;
}

/** Somebody waits in front of a screen. */
const REGISTRY_WITHIN_MS = 5_000;

/** @param registry undefined: no event can be shown */
export function eventRenderer(registry: SchemaRegistrySettings | undefined, log: Logger): EventRenderer {
  if (registry === undefined) {
    const unreadable = 'the control plane has no SCHEMA_REGISTRY_URL, so it cannot read events';
    return { render: async () => ({ unreadable }), open: async () => ({ unreadable }), stop: () => undefined };
  }
  const readers = new EventReaders({ registry: new SchemaRegistry(registry), log });
  const open = async (eventType: string, value: Buffer): Promise<OpenedEvent> => {
    const type = describedEventType(eventType);
    if (type === undefined) return { unreadable: `there is no schema for event type "${eventType}"` };
    const schemaId = schemaIdOf(value);
    if (typeof schemaId !== 'number') return { unreadable: schemaId.malformed };
    try {
      const lookup = await within(REGISTRY_WITHIN_MS, readers.load(type, schemaId), 'ask the schema registry');
      return lookup.kind === 'unreadable' ? { unreadable: lookup.detail } : { reader: lookup.reader };
    } catch (error) {
      return { unreadable: messageOf(error) };
    }
  };
  return {
    open,
    async render(eventType, value, sections) {
      if (value === null) return { unreadable: 'it has no value' };
      const opened = await open(eventType, value);
      if ('unreadable' in opened) return opened;
      try {
        return { event: JSON.parse(opened.reader.json(value, sections).toString(), exactNumber) };
      } catch (error) {
        return { unreadable: messageOf(error) };
      }
    },
    stop: () => readers.stop(),
  };
}

/** The parts of Node's JSON that TypeScript doesn't declare yet. */
const EXACT_JSON = JSON as unknown as { rawJSON(text: string): unknown };

/** A long may have more digits than a number of JavaScript: they are shown as they stand. */
function exactNumber(_name: string, value: unknown, { source }: { source?: string } = {}): unknown {
  return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) && source !== undefined
    ? EXACT_JSON.rawJSON(source)
    : value;
}
