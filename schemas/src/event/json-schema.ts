/** The JSON Schema (2020-12) of the documents that {@link jsonRenderer} makes of a pinned Avro schema. */
import {
  type AvroType,
  type LogicalType,
  nameOfType,
  nullable,
  type RecordType,
  unqualified,
} from './avro/avro-schema.ts';

export type JsonSchema = { readonly [keyword: string]: unknown };

/** The text for 64-bit and 32-bit floats that JSON has no number for. */
const NOT_FINITE = { enum: ['NaN', 'Infinity', '-Infinity'] };

const BASE64 = { type: 'string', contentEncoding: 'base64' };

/**
 * The texts of logical types, as logical-values.ts writes them: years outside 0000 to 9999 have a sign and more digits.
 */
const DATE = '([0-9]{4}|[+-][0-9]{6,})-[0-9]{2}-[0-9]{2}';
const timeOf = (digits: number) => `[0-9]{2,}:[0-9]{2}:[0-9]{2}\\.[0-9]{${digits}}`;
const DIGITS: Readonly<Record<string, number>> = { millis: 3, micros: 6, nanos: 9 };

/** A schema in parts, for documents that keep schemas in a place of their own. */
export interface JsonSchemaParts {
  readonly root: JsonSchema;
  /** The nested records, by name. */
  readonly definitions: ReadonlyMap<string, JsonSchema>;
}

/**
 * Fields that a later version adds are allowed: receivers are asked to ignore fields that they do not know.
 * @param type the pinned schema of an event type
 * @param about `$id` and `title` of the schema
 * @throws {TypeError} for a union of several types, which is not rendered either
 */
export function jsonSchemaOf(type: RecordType, about: { readonly $id: string; readonly title: string }): JsonSchema {
  const { root, definitions } = jsonSchemaParts(type, (name) => `#/$defs/${name}`);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    ...about,
    ...root,
    ...(definitions.size > 0 && { $defs: Object.fromEntries(definitions) }),
  };
}

/** @param refOf the `$ref` to a definition of that name */
export function jsonSchemaParts(type: RecordType, refOf: (name: string) => string): JsonSchemaParts {
  const writer = new SchemaWriter(refOf);
  return { root: writer.members(type, true), definitions: writer.definitions };
}

class SchemaWriter {
  /** The names of nested records without namespace; a second one of the same name gets a number. */
  readonly definitions = new Map<string, JsonSchema>();
  readonly #names = new Map<RecordType, string>();
  readonly #refOf: (name: string) => string;

  constructor(refOf: (name: string) => string) {
    this.#refOf = refOf;
  }

  members(type: RecordType, isRoot: boolean): JsonSchema {
    const properties: Record<string, JsonSchema> = {};
    const required: string[] = [];
    for (const { name, type: member, constant, doc } of type.fields) {
      const optional = nullable(member);
      const isAbsentWhenNull = optional !== undefined && (isRoot || optional.kind === 'record');
      if (!isAbsentWhenNull) required.push(name);
      const schema =
        isRoot && constant !== undefined ? { const: constant } : this.#value(isAbsentWhenNull ? optional : member);
      properties[name] = { ...schema, ...(doc !== undefined && { description: doc }) };
    }
    const { doc } = type;
    return { type: 'object', ...(doc !== undefined && { description: doc }), properties, required };
  }

  #value(type: AvroType): JsonSchema {
    if ('logical' in type && type.logical !== undefined) return logicalSchema(type.logical);
    switch (type.kind) {
      case 'null':
      case 'boolean':
      case 'string':
        return { type: type.kind };
      case 'int':
        return { type: 'integer', minimum: -(2 ** 31), maximum: 2 ** 31 - 1 };
      case 'long':
        return { type: 'integer', format: 'int64' };
      case 'float':
      case 'double':
        return { anyOf: [{ type: 'number' }, NOT_FINITE] };
      case 'bytes':
      case 'fixed':
        return BASE64;
      case 'enum':
        return { enum: [...type.symbols] };
      case 'array':
        return { type: 'array', items: this.#value(type.items) };
      case 'map':
        return { type: 'object', additionalProperties: this.#value(type.values) };
      case 'record':
        return { $ref: this.#refOf(this.#define(type)) };
      case 'union': {
        const optional = nullable(type);
        if (optional === undefined) throw new TypeError(`${nameOfType(type)} can't be rendered as JSON`);
        return { anyOf: [{ type: 'null' }, this.#value(optional)] };
      }
    }
  }

  #define(type: RecordType): string {
    const known = this.#names.get(type);
    if (known !== undefined) return known;
    const short = unqualified(type.name);
    const name = [...this.#names.values()].includes(short) ? `${short}${this.#names.size}` : short;
    this.#names.set(type, name);
    // Its place in the order is reserved before its members, which may refer back to it.
    this.definitions.set(name, {});
    this.definitions.set(name, this.members(type, false));
    return name;
  }
}

function logicalSchema({ name, scale = 0 }: LogicalType): JsonSchema {
  switch (name) {
    case 'decimal':
      return pattern(scale === 0 ? '-?[0-9]+' : `-?[0-9]+\\.[0-9]{${scale}}`);
    case 'uuid':
      return { type: 'string' };
    case 'duration':
      return pattern('P[0-9]+M[0-9]+DT[0-9]+\\.[0-9]{3}S');
    case 'date':
      return pattern(DATE);
  }
  const time = timeOf(DIGITS[name.slice(name.lastIndexOf('-') + 1)] ?? 0);
  if (name.startsWith('time-')) return pattern(`-?${time}`);
  return pattern(`${DATE}T${time}${name.startsWith('local-') ? '' : 'Z'}`);
}

function pattern(text: string): JsonSchema {
  return { type: 'string', pattern: `^${text}$` };
}
