/** The event catalogue as files in `docs/`, for readers who do not run the service. */
import { loadEventTypes } from '@databridge/schemas/event/event-types';
import { NOTICES_TOPIC } from '@databridge/schemas/records/topics';
import { asyncApiOf } from './asyncapi.ts';
import { eventPage } from './event-page.ts';

const EVENT_TYPES = `root-cause=root-cause.events,notice=${NOTICES_TOPIC}`;

/** @returns the text of each file, by its path below `docs/` */
export function catalogueFiles(): Readonly<Record<string, string>> {
  const eventTypes = loadEventTypes(EVENT_TYPES);
  const files: Record<string, string> = { 'asyncapi.json': json(asyncApiOf(eventTypes)) };
  for (const type of eventTypes) {
    const path = `events/${type.name}.${type.schemaVersion}`;
    files[`${path}.schema.json`] = json(type.jsonSchema);
    files[`${path}.html`] = eventPage(type);
  }
  return files;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
