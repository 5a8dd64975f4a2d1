/**
 * Event types: the kinds of events that customers subscribe to. A type is added by its schema in
 * `avro/<name>.v1.0.avsc` and by naming it, with its intake topic, in one line of configuration. No code knows any of
 * them by name.
 */
import { createRequire } from 'node:module';
import type avsc from 'avsc';
import { EventTypesError, IncompatibleSchemaError, MalformedEventError } from '../errors.ts';
import type { Routing } from '../subscription/routing.ts';
import { AvroInput } from './avro/avro-input.ts';
import { resolver, resolving } from './avro/avro-resolution.ts';
import { type AvroType, nameOfType, parseSchema, type RecordType } from './avro/avro-schema.ts';
import { defaultOf } from './avro/avro-values.ts';
import type { Read } from './avro/value-readers.ts';
import { frame, payloadOf, schemaIdOf } from './confluent-frame.ts';
import { type EventFields, eventFields } from './event-fields.ts';
import { type EventMisfit, misfitsOf } from './event-misfits.ts';
import { JsonOutput } from './json-output.ts';
import { jsonRenderer, leftOutOf, sectionsOf } from './json-rendering.ts';
import { type JsonSchema, type JsonSchemaParts, jsonSchemaOf, jsonSchemaParts } from './json-schema.ts';
import { type Transcode, transcoder } from './json-transcoding.ts';
import { PINNED_SCHEMAS } from './pinned-schemas.ts';
import { type RoutingProjection, routingProjection } from './routing-projection.ts';
import { sampleOf } from './sample-event.ts';

const require = createRequire(import.meta.url);

/** The version of the document that customers receive. Its meaning never changes. */
const SCHEMA_VERSION = 'v1.0';

/** Reads events that were written with one writer's schema. */
export interface EventReader {
  /** @throws {MalformedEventError} */
  routing(frame: Buffer): Routing;
  /**
   * The JSON document that the customer receives, as UTF-8.
   * @param sections those that the customer selected; if omitted, all
   * @throws {MalformedEventError}
   */
  json(frame: Buffer, sections?: readonly string[]): Buffer;
  /** The whole event, for filters: see {@link EventType.fields}. @throws {MalformedEventError} */
  decoded(frame: Buffer): unknown;
}

/** The event type of operational notices, which the service itself writes about deliveries. */
export const NOTICE_EVENT_TYPE = 'notice';

/** @returns the default event type, which is the only one besides notices; undefined if there are several */
export function impliedEventType(names: readonly string[]): string | undefined {
  const [only, ...others] = names.filter((name) => name !== NOTICE_EVENT_TYPE);
  return others.length === 0 ? only : undefined;
}

/** Rendering is synchronous, so one output serves all. */
const output = new JsonOutput();

type PinnedSchemas = Readonly<Record<string, string>>;

/** The event types and the intake topic of each, as in `root-cause=root-cause.events,other=other.events`. */
const LINE_ENTRY = /^([a-z0-9-]{1,63})=([\w.-]{1,249})$/;

/**
 * @param line the line of configuration, such as `root-cause=root-cause.events`
 * @param schemas the pinned schema of each event type, as JSON, by its name
 * @throws {EventTypesError} naming every mistake
 */
export function loadEventTypes(line: string, schemas: PinnedSchemas = PINNED_SCHEMAS): EventType[] {
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
        eventTypes.set(name, new EventType(name, topic, pinnedSchema(name, schemas)));
      } catch (error) {
        mistakes.push(`event type ${name}: ${(error as Error).message}`);
      }
    }
  }
  if (mistakes.length > 0) throw new EventTypesError(mistakes);
  return [...eventTypes.values()];
}

function pinnedSchema(name: string, schemas: PinnedSchemas): string {
  if (Object.hasOwn(schemas, name)) return schemas[name] as string;
  const known = Object.keys(schemas).sort().join(', ');
  throw new Error(`there is no schema ${name}.${SCHEMA_VERSION}.avsc; there are schemas for: ${known || 'none'}`);
}

/** The event types that there are schemas for. */
export const eventTypeNames = (): string[] => Object.keys(PINNED_SCHEMAS).sort();

const described = new Map<string, EventType | undefined>();

/**
 * The description of an event type by its schema, whether or not it is configured, for checking what a subscription
 * selects of its events.
 * @returns undefined if there is no schema of that name
 */
export function describedEventType(name: string): EventType | undefined {
  if (!described.has(name) && eventTypeNames().includes(name)) {
    described.set(name, new EventType(name, name, pinnedSchema(name, PINNED_SCHEMAS)));
  }
  return described.get(name);
}

export class EventType {
  readonly name: string;
  /** The intake topic. */
  readonly topic: string;
  readonly schemaVersion: string = SCHEMA_VERSION;
  /** The pinned reader schema, as JSON, with which producers may write, and which is registered. */
  readonly schemaJson: string;
  readonly #type: RecordType;
  #fields: EventFields | undefined;
  #encoder: avsc.Type | undefined;
  readonly #projection: RoutingProjection;

  /** @throws {Error} which names the part of the schema that cannot be used */
  constructor(name: string, topic: string, schemaJson: string) {
    this.name = name;
    this.topic = topic;
    this.schemaJson = schemaJson;
    const type = parseSchema(schemaJson);
    if (type.kind !== 'record') throw new TypeError(`an event is a record, not ${nameOfType(type)}`);
    requireDefaults(type);
    this.#type = type;
    // Refuses types that have no form in JSON.
    jsonRenderer(type);
    requireEnd(type);
    this.#projection = routingProjection(type);
  }

  /** The parts of an event that customers may select, in the order of the document. */
  get sections(): string[] {
    return sectionsOf(this.#type);
  }

  /** The fields for filters. They are computed at first use: not every service has filters. */
  get fields(): EventFields {
    this.#fields ??= eventFields(this.#type);
    return this.#fields;
  }

  /** The registry's subject for the intake topic's values, named as Confluent's serializers do by default. */
  get subject(): string {
    return `${this.topic}-value`;
  }

  /**
   * Takes time proportional to the size of the schema: keep the reader.
   * @param references texts of the schemas that the writer's refers to, each after those that it refers to itself
   * @throws {IncompatibleSchemaError} if the writer's schema cannot be resolved to the pinned one
   */
  readerFor(writerSchemaJson: string, references: readonly string[] = []): EventReader {
    const { picked, routingOf } = this.#projection;
    try {
      const writer = parseSchema(writerSchemaJson, references);
      const readRouting = resolver(writer, this.#type, picked);
      // Most services need one of the two.
      let readAll: Read | undefined;
      let transcode: Transcode | undefined;
      const some = new WeakMap<readonly string[], Transcode>();
      const transcoderOf = (sections: readonly string[] | undefined) => {
        transcode ??= this.#transcoder(writer);
        if (sections === undefined) return transcode;
        const made = some.get(sections) ?? this.#transcoder(writer, sections);
        some.set(sections, made);
        return made;
      };
      return {
        routing: (frame) => routingOf(decode(readRouting, frame)),
        json: (frame, sections) => {
          const run = transcoderOf(sections);
          output.reset();
          decode((input) => run(input, output), frame);
          return output.toBuffer();
        },
        decoded: (frame) => {
          readAll ??= resolver(writer, this.#type);
          return decode(readAll, frame);
        },
      };
    } catch (error) {
      throw new IncompatibleSchemaError(
        `the writer's schema does not resolve to ${this.name} ${this.schemaVersion}: ${(error as Error).message}`,
        { cause: error },
      );
    }
  }

  /** The document that a customer would receive for a sample event made from the schema. */
  sample(sections?: readonly string[]): string {
    return jsonRenderer(this.#type, sections)(sampleOf(this.#type));
  }

  /** The lists of sections come from subscriptions: customers have few, and a changed list is a new one. */
  #transcoder(writer: AvroType, sections?: readonly string[]): Transcode {
    return transcoder(writer, this.#type, resolving(), leftOutOf(this.#type, sections));
  }

  /** The JSON Schema 2020-12 of the document that customers receive. */
  get jsonSchema(): JsonSchema {
    const { name, schemaVersion } = this;
    return jsonSchemaOf(this.#type, {
      $id: `urn:databridge:event:${name}:${schemaVersion}`,
      title: `${name} ${schemaVersion}`,
    });
  }

  /** The same in parts. @param refOf the `$ref` to a record inside, by its name */
  jsonSchemaParts(refOf: (name: string) => string): JsonSchemaParts {
    return jsonSchemaParts(this.#type, refOf);
  }

  /** The documentation of the event in its schema. */
  get description(): string {
    return this.#type.doc ?? '';
  }

  #encoderType(): avsc.Type {
    if (this.#encoder === undefined) {
      // Loaded by those that encode: workers only decode, and do so by code of their own.
      const { Type } = require('avsc') as typeof avsc;
      this.#encoder = Type.forSchema(JSON.parse(this.schemaJson) as avsc.Schema);
    }
    return this.#encoder;
  }

  /** Every place where an event does not fit the pinned schema, unknown fields included. */
  misfitsOf(event: unknown): EventMisfit[] {
    return misfitsOf(this.#encoderType(), event);
  }

  /**
   * Encodes an event with the pinned schema, as a producer does.
   * @param schemaId the id that the registry returned when the schema was registered
   * @throws {MalformedEventError} if the event does not fit the schema
   */
  encode(schemaId: number, event: unknown): Buffer {
    try {
      return frame(schemaId, this.#encoderType().toBuffer(event));
    } catch (error) {
      throw new MalformedEventError(`not a ${this.name} event: ${(error as Error).message}`, { cause: error });
    }
  }
}

function decode(read: Read, value: Buffer): unknown {
  const id = schemaIdOf(value);
  if (typeof id !== 'number') throw new MalformedEventError(id.malformed);
  try {
    const input = new AvroInput(payloadOf(value));
    const event = read(input);
    input.end();
    return event;
  } catch (error) {
    throw new MalformedEventError(`the data do not fit schema ${id}: ${(error as Error).message}`, { cause: error });
  }
}

/** A record that needs another one of its kind has no end. Lists, maps and optional parts have one. */
function requireEnd(type: AvroType, inside: readonly AvroType[] = [], ending = new Set<AvroType>()): void {
  if (type.kind !== 'record' || ending.has(type)) return;
  if (inside.includes(type)) throw new TypeError(`${type.name} contains itself, so no such event can end`);
  for (const field of type.fields) requireEnd(field.type, [...inside, type], ending);
  ending.add(type);
}

/** Otherwise a mistake in a default would only show with the first writer that lacks the field. */
function requireDefaults(type: RecordType): void {
  const seen = new Set<AvroType>();
  const visit = (one: AvroType): void => {
    if (seen.has(one)) return;
    seen.add(one);
    if (one.kind === 'array') visit(one.items);
    if (one.kind === 'map') visit(one.values);
    if (one.kind === 'union') one.branches.forEach(visit);
    if (one.kind === 'enum' && one.fallback !== undefined) defaultOf(one, one.fallback);
    if (one.kind !== 'record') return;
    for (const field of one.fields) {
      if (field.fallback !== undefined) defaultOf(field.type, field.fallback.json);
      visit(field.type);
    }
  };
  visit(type);
}
