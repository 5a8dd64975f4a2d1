/** The parts of an event that a filter can read: the fields of its pinned schema, with types of CEL (cel.dev). */
import type { Environment } from '@marcbachmann/cel-js';
import { type AvroType, nullable, type RecordType } from './avro/avro-schema.ts';
import { chargeItems, chargeLack, chargeText } from './filter-meter.ts';
import { shortestFloat } from './json-rendering.ts';
import { logicalText } from './logical-values.ts';

export interface EventFields {
  /** Declares the event's types, and `event` itself. */
  declareIn(environment: Environment): void;
  /** Every field's name, at any depth: for suggestions. */
  readonly names: ReadonlySet<string>;
  /** @param event decoded with the pinned schema, or the JSON document that customers receive */
  view(event: unknown): unknown;
}

/** `undefined`: the event does not have it. */
type Read = (value: unknown) => unknown;

interface Seen {
  readonly cel: string;
  readonly read: Read;
}

const SOURCE = Symbol('source');

type Source = readonly unknown[] | Readonly<Record<string, unknown>>;

/** A record as CEL reads it: each field is converted when it is read, since a filter reads few. */
interface View {
  readonly [SOURCE]: Source;
}
type ViewClass = new (source: Source) => View;

/** Names that have a meaning in every JavaScript object. */
const UNREADABLE = new Set(['constructor', '__proto__']);

interface RecordView {
  readonly cel: string;
  readonly ctor: ViewClass;
  readonly fields: Record<string, string>;
}

export function eventFields(type: RecordType): EventFields {
  const found: Found = { records: [], names: new Set(), inside: [] };
  const root = seenRecord(type, found, true);
  return {
    names: found.names,
    declareIn(environment) {
      for (const { cel, ctor, fields } of found.records) environment.registerType(cel, { ctor, fields });
      environment.registerVariable('event', root.cel);
    },
    view: root.read,
  };
}

interface Found {
  readonly records: RecordView[];
  readonly names: Set<string>;
  /** Filters cannot read a record inside itself: CEL would need a type before it is declared. */
  readonly inside: RecordType[];
}

function seenRecord(type: RecordType, found: Found, isRoot = false): Seen {
  const short = type.name.slice(type.name.lastIndexOf('.') + 1);
  // Names in CEL have at least two letters.
  const isFree = short.length > 1 && !found.records.some((one) => one.cel === short);
  const cel = isFree ? short : `${short}_${found.records.length}`;
  const ctor: ViewClass = class {
    readonly [SOURCE]: Source;
    constructor(source: Source) {
      this[SOURCE] = source;
    }
  };
  const record: RecordView = { cel, ctor, fields: {} };
  found.inside.push(type);
  type.fields.forEach((field, slot) => {
    const seen = UNREADABLE.has(field.name) ? undefined : seenType(field.type, found);
    if (seen === undefined) return;
    const { name } = field;
    const constant = isRoot ? field.constant : undefined;
    found.names.add(name);
    record.fields[name] = seen.cel;
    Object.defineProperty(ctor.prototype, name, {
      get(this: View) {
        if (constant !== undefined) return constant;
        const source = this[SOURCE];
        const value = Array.isArray(source)
          ? source[slot]
          : ownValue(source as Readonly<Record<string, unknown>>, name);
        if (value !== null && value !== undefined) return seen.read(value);
        chargeLack();
        return undefined;
      },
    });
  });
  found.inside.pop();
  found.records.push(record);
  const read: Read = (value) => (typeof value === 'object' && value !== null ? new ctor(value as Source) : value);
  return { cel, read };
}

/** A document may lack a field whose name every object inherits, such as "toString". */
function ownValue(source: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(source, name) ? source[name] : undefined;
}

/** @returns undefined for a type that a filter cannot read */
function seenType(type: AvroType, found: Found): Seen | undefined {
  const bare = nullable(type) ?? type;
  if ('logical' in bare && bare.logical !== undefined) {
    const textOf = logicalText(bare.logical);
    // In the document, the value is a text already.
    return { cel: 'string', read: (value) => (typeof value === 'string' ? value : textOf(value)) };
  }
  switch (bare.kind) {
    case 'record':
      return found.inside.includes(bare) ? undefined : seenRecord(bare, found);
    case 'array': {
      const items = seenItems(bare.items, found);
      if (items === undefined) return undefined;
      const read: Read = (value) => {
        if (!Array.isArray(value)) return value;
        chargeItems(value.length);
        return value.map(items.read);
      };
      return { cel: `list<${items.cel}>`, read };
    }
    case 'map': {
      const values = seenItems(bare.values, found);
      if (values === undefined) return undefined;
      const read: Read = (value) => {
        if (typeof value !== 'object' || value === null) return value;
        const entries = [...entriesOf(value)];
        chargeItems(entries.length);
        return new Map(entries.map(([key, one]) => [key, values.read(one)]));
      };
      return { cel: `map<string, ${values.cel}>`, read };
    }
    default:
      return SCALARS[bare.kind];
  }
}

function entriesOf(value: object): Iterable<readonly [string, unknown]> {
  return value instanceof Map ? value : Object.entries(value);
}

/** Within a list or a map, null is a value. */
function seenItems(type: AvroType, found: Found): Seen | undefined {
  const seen = seenType(type, found);
  if (seen === undefined || nullable(type) === undefined) return seen;
  return { cel: 'dyn', read: (value) => (value === null ? null : seen.read(value)) };
}

const asIs: Read = (value) => value;
const text: Read = (value) => {
  if (typeof value === 'string') chargeText(value.length);
  return value;
};
const whole: Read = (value) => (Number.isInteger(value) ? BigInt(value as number) : value);
/** In the document, the value is base64. */
const bytes: Read = (value) => {
  const raw = typeof value === 'string' ? Buffer.from(value, 'base64') : value;
  if (Buffer.isBuffer(raw)) chargeText(raw.length);
  return raw;
};
const NOT_FINITE = new Set(['NaN', 'Infinity', '-Infinity']);
/** In the document, infinities and NaN are texts, and a number without a fraction may be a `bigint`. */
const double: Read = (value) =>
  typeof value === 'bigint' || (typeof value === 'string' && NOT_FINITE.has(value)) ? Number(value) : value;
const float: Read = (value) => {
  const number = double(value);
  return typeof number === 'number' ? shortestFloat(Math.fround(number)) : number;
};

const SCALARS: Readonly<Record<string, Seen>> = {
  boolean: { cel: 'bool', read: asIs },
  int: { cel: 'int', read: whole },
  long: { cel: 'int', read: whole },
  float: { cel: 'double', read: float },
  double: { cel: 'double', read: double },
  string: { cel: 'string', read: text },
  enum: { cel: 'string', read: asIs },
  bytes: { cel: 'bytes', read: bytes },
  fixed: { cel: 'bytes', read: bytes },
};
