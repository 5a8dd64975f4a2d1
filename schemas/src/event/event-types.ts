/**
 * Event types: what customers subscribe to. One is added by its schema in `avro/<name>.v1.0.avsc` and by naming it,
 * with its intake topic, in one line of configuration. No code knows any of them by name.
 */
import { readdirSync, readFileSync } from 'node:fs';
import avsc from 'avsc';
import { EventTypesError, IncompatibleSchemaError, MalformedEventError } from '../errors.ts';
import type { Routing } from '../subscription/routing.ts';
import { frame, payloadOf, schemaIdOf } from './confluent-frame.ts';
import { type EventFields, eventFields } from './event-fields.ts';
import { isRecord, type JsonRenderer, jsonRenderer, sectionsOf } from './json-rendering.ts';
import { type RoutingProjection, routingProjection } from './routing-projection.ts';
import { sampleOf } from './sample-event.ts';

/** The version of the document that customers get. What it means to them never changes. */
const SCHEMA_VERSION = 'v1.0';
const AVRO_DIRECTORY = new URL('../../avro/', import.meta.url);

/** Reads events that were written with one writer's schema. */
export interface EventReader {
  /** @throws {MalformedEventError} */
  routing(frame: Buffer): Routing;
  /**
   * The JSON document that the customer gets.
   * @param sections those that it wants; left out: all
   * @throws {MalformedEventError}
   */
  json(frame: Buffer, sections?: readonly string[]): string;
  /** All of it, for filters: see {@link EventType.fields}. @throws {MalformedEventError} */
  decoded(frame: Buffer): unknown;
}

/** As `root-cause=root-cause.events,other=other.events`: which event types there are, and the intake topic of each. */
const LINE_ENTRY = /^([a-z0-9-]{1,63})=([\w.-]{1,249})$/;

/**
 * @param line the line of configuration, such as `root-cause=root-cause.events`
 * @param directory holds `<name>.v1.0.avsc` for each event type
 * @throws {EventTypesError} naming every mistake
 */
export function loadEventTypes(line: string, directory: URL = AVRO_DIRECTORY): EventType[] {
  const mistakes: string[] = [];
  const eventTypes = new Map<string, EventType>();
  const topics = new Set<string>();
  for (const entry of line.split(',').map((text) => text.trim())) {
    const [, name, topic] = LINE_ENTRY.exec(entry) ?? [];
    if (name === undefined || topic === undefined) {
      mistakes.push(`"${entry}" is not <event type>=<intake topic>, such as root-cause=root-cause.events`);
    } else if (eventTypes.has(name)) {
      mistakes.push(`event type ${name} is named twice`);
    } else if (topics.has(topic)) {
      mistakes.push(`topic ${topic} is the intake of two event types: its records would be ambiguous`);
    } else {
      topics.add(topic);
      try {
        eventTypes.set(name, new EventType(name, topic, readSchema(name, directory)));
      } catch (error) {
        mistakes.push(`event type ${name}: ${(error as Error).message}`);
      }
    }
  }
  if (mistakes.length > 0) throw new EventTypesError(mistakes);
  return [...eventTypes.values()];
}

function readSchema(name: string, directory: URL): string {
  const known = eventTypeNames(directory);
  const file = `${name}.${SCHEMA_VERSION}.avsc`;
  if (known.includes(name)) return readFileSync(new URL(file, directory), 'utf8');
  throw new Error(`there is no schema ${file}; there are schemas for: ${known.join(', ') || 'none'}`);
}

/** The event types that there are schemas for. */
export function eventTypeNames(directory: URL = AVRO_DIRECTORY): string[] {
  const ending = `.${SCHEMA_VERSION}.avsc`;
  const files = readdirSync(directory).filter((file) => file.endsWith(ending));
  return files.map((file) => file.slice(0, -ending.length)).sort();
}

const described = new Map<string, EventType | undefined>();

/**
 * An event type as its schema describes it, whether or not it is configured: for checking what is asked of its events.
 * @returns undefined if there is no schema of that name
 */
export function describedEventType(name: string): EventType | undefined {
  if (!described.has(name) && eventTypeNames().includes(name)) {
    described.set(name, new EventType(name, name, readSchema(name, AVRO_DIRECTORY)));
  }
  return described.get(name);
}

export class EventType {
  readonly name: string;
  /** The intake topic. */
  readonly topic: string;
  readonly schemaVersion: string = SCHEMA_VERSION;
  /** The pinned reader schema, as JSON: what producers may write with, and what the registry is given. */
  readonly schemaJson: string;
  readonly #type: avsc.types.RecordType;
  readonly #constants: ReadonlyMap<string, string>;
  readonly #render: JsonRenderer;
  /** By the very list that a subscription holds: customers have few, and a changed one is another list. */
  readonly #renderSections = new WeakMap<readonly string[], JsonRenderer>();
  #fields: EventFields | undefined;
  readonly #projection: RoutingProjection;
  readonly #readers = new Map<string, EventReader>();

  constructor(name: string, topic: string, schemaJson: string) {
    this.name = name;
    this.topic = topic;
    this.schemaJson = schemaJson;
    const schema = JSON.parse(schemaJson) as avsc.Schema;
    const type = avsc.Type.forSchema(schema);
    if (!isRecord(type)) throw new TypeError(`an event is a record, not ${type.typeName}`);
    this.#type = type;
    this.#constants = constantsOf(schema);
    this.#render = jsonRenderer(type, this.#constants);
    this.#projection = routingProjection(type);
  }

  /** What customers may choose to get or not, in the order of the document. */
  get sections(): string[] {
    return sectionsOf(this.#type);
  }

  /** For filters. Made when first asked for: not every service has filters. */
  get fields(): EventFields {
    this.#fields ??= eventFields(this.#type, this.#constants);
    return this.#fields;
  }

  /** The registry's subject for the intake topic's values, named as Confluent's serializers do by default. */
  get subject(): string {
    return `${this.topic}-value`;
  }

  /**
   * Made once for each writer's schema; asking again is cheap.
   * @throws {IncompatibleSchemaError} if the writer's schema can't be resolved to the pinned one
   */
  readerFor(writerSchemaJson: string): EventReader {
    const known = this.#readers.get(writerSchemaJson);
    if (known) return known;
    const reader = this.#makeReader(writerSchemaJson);
    this.#readers.set(writerSchemaJson, reader);
    return reader;
  }

  #makeReader(writerSchemaJson: string): EventReader {
    const { type: projected, routingOf } = this.#projection;
    try {
      const writer = avsc.Type.forSchema(JSON.parse(writerSchemaJson) as avsc.Schema);
      const toDocument = this.#type.createResolver(writer);
      const toRouting = projected.createResolver(writer);
      return {
        routing: (frame) => routingOf(decode(projected, toRouting, frame)),
        json: (frame, sections) => this.#rendererOf(sections)(decode(this.#type, toDocument, frame)),
        decoded: (frame) => decode(this.#type, toDocument, frame),
      };
    } catch (error) {
      throw new IncompatibleSchemaError(
        `the writer's schema does not resolve to ${this.name} ${this.schemaVersion}: ${(error as Error).message}`,
        { cause: error },
      );
    }
  }

  /** The document that a customer would get of an event made up from the schema. */
  sample(sections?: readonly string[]): string {
    return this.#rendererOf(sections)(sampleOf(this.#type));
  }

  #rendererOf(sections: readonly string[] | undefined): JsonRenderer {
    if (sections === undefined) return this.#render;
    let render = this.#renderSections.get(sections);
    if (render === undefined) {
      render = jsonRenderer(this.#type, this.#constants, sections);
      this.#renderSections.set(sections, render);
    }
    return render;
  }

  /**
   * Encodes an event with the pinned schema, as a producer does.
   * @param schemaId what the registry answered when the schema was registered
   * @throws {MalformedEventError} if the event does not fit the schema
   */
  encode(schemaId: number, event: unknown): Buffer {
    try {
      return frame(schemaId, this.#type.toBuffer(event));
    } catch (error) {
      throw new MalformedEventError(`not a ${this.name} event: ${(error as Error).message}`, { cause: error });
    }
  }
}

function decode(type: avsc.Type, resolver: ReturnType<avsc.Type['createResolver']>, value: Buffer): unknown {
  const id = schemaIdOf(value);
  if (typeof id !== 'number') throw new MalformedEventError(id.malformed);
  try {
    return type.fromBuffer(payloadOf(value), resolver);
  } catch (error) {
    throw new MalformedEventError(`the data do not fit schema ${id}: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * A root field may carry `"constant": "<text>"`: the document shows that, whatever a writer of a newer schema wrote.
 * So a document that is rendered as v1.0 never claims to be another version.
 */
function constantsOf(schema: avsc.Schema): Map<string, string> {
  const { fields } = schema as { fields: readonly { name: string; constant?: string }[] };
  return new Map(fields.flatMap(({ name, constant }) => (constant === undefined ? [] : [[name, constant]])));
}
