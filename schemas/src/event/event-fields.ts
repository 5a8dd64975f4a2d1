/** What a filter sees of an event: the fields of its pinned schema, typed as CEL (cel.dev) has types. */
import type { Environment } from '@marcbachmann/cel-js';
import avsc from 'avsc';
import { isRecord, nullable } from './json-rendering.ts';

export interface EventFields {
  /** Declares the event's types, and `event` itself. */
  declareIn(environment: Environment): void;
  /** Every field's name, wherever it stands: for suggestions. */
  readonly names: ReadonlySet<string>;
  /** @param event decoded with the pinned schema, or the JSON document that customers get of it */
  view(event: unknown): unknown;
}

/** `undefined`: the event lacks it. */
type Read = (value: unknown) => unknown;

interface Seen {
  readonly cel: string;
  readonly read: Read;
}

const SOURCE = Symbol('source');

/** A record as CEL reads it: each field is converted when it is asked for, since a filter asks for few. */
interface View {
  readonly [SOURCE]: Readonly<Record<string, unknown>>;
}
type ViewClass = new (source: Readonly<Record<string, unknown>>) => View;

/** Names that every JavaScript object has a meaning for. */
const UNREADABLE = new Set(['constructor', '__proto__']);

interface RecordView {
  readonly cel: string;
  readonly ctor: ViewClass;
  readonly fields: Record<string, string>;
}

/** @param constants root fields whose value is fixed by the document's version */
export function eventFields(type: avsc.types.RecordType, constants: ReadonlyMap<string, string>): EventFields {
  const records: RecordView[] = [];
  const names = new Set<string>();
  const root = seenRecord(type, constants, { records, names });
  return {
    names,
    declareIn(environment) {
      for (const { cel, ctor, fields } of records) environment.registerType(cel, { ctor, fields });
      environment.registerVariable('event', root.cel);
    },
    view: root.read,
  };
}

interface Found {
  readonly records: RecordView[];
  readonly names: Set<string>;
}

function seenRecord(type: avsc.types.RecordType, constants: ReadonlyMap<string, string>, found: Found): Seen {
  const full = type.name ?? 'Event';
  const short = full.split('.').at(-1) ?? full;
  const cel = found.records.some((one) => one.cel === short) ? `${short}${found.records.length}` : short;
  const ctor: ViewClass = class {
    readonly [SOURCE]: Readonly<Record<string, unknown>>;
    constructor(source: Readonly<Record<string, unknown>>) {
      this[SOURCE] = source;
    }
  };
  const record: RecordView = { cel, ctor, fields: {} };
  for (const field of type.fields) {
    const constant = constants.get(field.name);
    const seen = UNREADABLE.has(field.name) ? undefined : seenType(field.type, found);
    if (seen === undefined) continue;
    found.names.add(field.name);
    record.fields[field.name] = seen.cel;
    Object.defineProperty(ctor.prototype, field.name, {
      get(this: View) {
        if (constant !== undefined) return constant;
        const value = this[SOURCE][field.name];
        return value === null || value === undefined ? undefined : seen.read(value);
      },
    });
  }
  found.records.push(record);
  const read: Read = (value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? new ctor(value as Readonly<Record<string, unknown>>)
      : value;
  return { cel, read };
}

/** @returns undefined for what a filter can't read */
function seenType(type: avsc.Type, found: Found): Seen | undefined {
  const bare = nullable(type) ?? type;
  if (isRecord(bare)) return seenRecord(bare, new Map(), found);
  if (avsc.Type.isType(bare, 'array')) {
    const items = seenItems((bare as avsc.types.ArrayType).itemsType, found);
    if (items === undefined) return undefined;
    const read: Read = (value) => (Array.isArray(value) ? value.map(items.read) : value);
    return { cel: `list<${items.cel}>`, read };
  }
  if (avsc.Type.isType(bare, 'map')) {
    const values = seenItems((bare as avsc.types.MapType).valuesType as avsc.Type, found);
    if (values === undefined) return undefined;
    const read: Read = (value) =>
      typeof value === 'object' && value !== null
        ? new Map(Object.entries(value).map(([key, one]) => [key, values.read(one)]))
        : value;
    return { cel: `map<string, ${values.cel}>`, read };
  }
  return SCALARS[bare.typeName];
}

/** Within a list or a map, null is a value. */
function seenItems(type: avsc.Type, found: Found): Seen | undefined {
  const seen = seenType(type, found);
  if (seen === undefined || nullable(type) === undefined) return seen;
  return { cel: 'dyn', read: (value) => (value === null ? null : seen.read(value)) };
}

const asIs: Read = (value) => value;
const whole: Read = (value) => (Number.isInteger(value) ? BigInt(value as number) : value);
/** In JSON, base64. */
const bytes: Read = (value) => (typeof value === 'string' ? Buffer.from(value, 'base64') : value);

const SCALARS: Readonly<Record<string, Seen>> = {
  boolean: { cel: 'bool', read: asIs },
  int: { cel: 'int', read: whole },
  long: { cel: 'int', read: whole },
  float: { cel: 'double', read: asIs },
  double: { cel: 'double', read: asIs },
  string: { cel: 'string', read: asIs },
  enum: { cel: 'string', read: asIs },
  bytes: { cel: 'bytes', read: bytes },
  fixed: { cel: 'bytes', read: bytes },
};
