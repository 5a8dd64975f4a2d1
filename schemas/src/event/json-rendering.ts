/** Renders the JSON document that customers receive of a decoded event: the pinned schema's fields, in its order. */
import { type AvroType, nameOfType, nullable, type RecordType } from './avro/avro-schema.ts';
import type { MapValue, RecordValue } from './avro/avro-values.ts';
import { logicalText } from './logical-values.ts';

/** Renders a value that was decoded with the type of the renderer. */
export type JsonRenderer = (value: unknown) => string;

/**
 * - A nullable field of the root, and a nullable record anywhere, is a section: absent when null.
 * - Any other nullable field is rendered as null, so that the receiver knows that there is no value.
 * - Longs have all their digits. NaN and the infinities are the texts "NaN", "Infinity" and "-Infinity".
 * - Bytes become base64; logical types are texts (logical-values.ts).
 *
 * docs/payload.md lists the rules for customers.
 * @param wanted the root's sections to render; if omitted, all of them @throws {TypeError} for a union of several
 *   types, because receivers could not tell them apart
 */
export function jsonRenderer(type: RecordType, wanted?: readonly string[]): JsonRenderer {
  return new JsonRenderers().record(type, true, leftOutOf(type, wanted));
}

/** The root's sections that a document with only the wanted ones lacks. */
export function leftOutOf(type: RecordType, wanted: readonly string[] | undefined): ReadonlySet<string> {
  return new Set(wanted && sectionsOf(type).filter((name) => !wanted.includes(name)));
}

/** The optional parts of an event, in the schema's order. All other parts are always present. */
export function sectionsOf(type: RecordType): string[] {
  return type.fields.filter((field) => nullable(field.type) !== undefined).map(({ name }) => name);
}

/** Renderers of the types of one schema. */
export class JsonRenderers {
  /** The renderers of records, which may refer back to themselves. */
  readonly #known = new Map<RecordType, { render: JsonRenderer }>();

  record(type: RecordType, isRoot: boolean, leftOut: ReadonlySet<string> = new Set()): JsonRenderer {
    const fields = type.fields.flatMap((field, slot) => {
      if (leftOut.has(field.name)) return [];
      const { name, constant } = field;
      const optional = nullable(field.type);
      // A constant belongs to the document, not to a record inside it.
      const isConstant = isRoot && constant !== undefined;
      return {
        slot,
        prefix: `${JSON.stringify(name)}:`,
        isAbsentWhenNull: optional !== undefined && (isRoot || optional.kind === 'record'),
        render: isConstant ? () => JSON.stringify(constant) : this.value(field.type),
      };
    });
    return (value) => {
      const record = value as RecordValue;
      let json = '';
      for (const field of fields) {
        const member = record[field.slot];
        if (member === null && field.isAbsentWhenNull) continue;
        json += `${json === '' ? '{' : ','}${field.prefix}${field.render(member)}`;
      }
      return json === '' ? '{}' : `${json}}`;
    };
  }

  value(type: AvroType): JsonRenderer {
    if ('logical' in type && type.logical !== undefined) {
      const textOf = logicalText(type.logical);
      return (value) => JSON.stringify(textOf(value));
    }
    switch (type.kind) {
      case 'record':
        return this.#inner(type);
      case 'array': {
        const render = this.value(type.items);
        return (value) => `[${(value as readonly unknown[]).map(render).join(',')}]`;
      }
      case 'map': {
        const render = this.value(type.values);
        return (value) => {
          let json = '';
          for (const [key, member] of value as MapValue) {
            json += `${json === '' ? '' : ','}${JSON.stringify(key)}:${render(member)}`;
          }
          return `{${json}}`;
        };
      }
      case 'union': {
        const optional = nullable(type);
        if (optional === undefined) throw new TypeError(`${nameOfType(type)} can't be rendered as JSON`);
        const render = this.value(optional);
        return (value) => (value === null ? 'null' : render(value));
      }
      case 'bytes':
      case 'fixed':
        return (value) => JSON.stringify((value as Buffer).toString('base64'));
      case 'float':
        return (value) => numberText(shortestFloat(value as number));
      case 'double':
        return (value) => numberText(value as number);
      case 'int':
      case 'long':
        return String;
      default:
        return (value) => JSON.stringify(value);
    }
  }

  #inner(type: RecordType): JsonRenderer {
    const known = this.#known.get(type);
    if (known !== undefined) return (value) => known.render(value);
    const entry: { render: JsonRenderer } = { render: () => '' };
    this.#known.set(type, entry);
    entry.render = this.record(type, false);
    return entry.render;
  }
}

/** JSON has no number for these three; null would say that there is no value. */
function numberText(value: number): string {
  // JSON.stringify drops the sign of -0, which another parser would keep.
  if (Object.is(value, -0)) return '-0';
  return Number.isFinite(value) ? JSON.stringify(value) : `"${value}"`;
}

/** The shortest decimal that is read back as the same 32-bit float: 3.4, and not 3.4000000953674316. */
export function shortestFloat(value: number): number {
  if (!Number.isFinite(value)) return value;
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}
