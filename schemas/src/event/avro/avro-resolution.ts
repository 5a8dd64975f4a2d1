/**
 * Schema resolution by the Avro specification: reads data written with one schema as another one defines them. Types
 * with names match by their unqualified names. A writer's defaults are not used.
 */
import { MalformedEventError } from '../../errors.ts';
import {
  type AvroType,
  type NamedType,
  nameOfType,
  type RecordField,
  type RecordType,
  type UnionType,
  unqualified,
} from './avro-schema.ts';
import { defaultOf } from './avro-values.ts';
import { isDecimal, refuseOtherMeaning } from './logical-match.ts';
import {
  arrayReader,
  bigDecimalReader,
  branchReader,
  decimalReader,
  enumReader,
  type Kept,
  mapReader,
  primitiveReader,
  type Read,
  recordReader,
  skipper,
} from './value-readers.ts';

/** Makes readers of pairs of types, a writer's and a reader's, within one limit of their total cost. */
export type Resolve = (writer: AvroType, reader: AvroType, kept: 'all' | 'none') => Read;

/** The limit of type pairs that are compared to resolve one schema. Nested unions of records can need very many. */
const MAX_PAIRS = 50_000;

/**
 * @param picked the reader's fields that are kept; if omitted, all
 * @throws {Error} which says why the schemas do not match
 */
export function resolver(writer: AvroType, reader: AvroType, picked?: ReadonlySet<RecordField>): Read {
  return new Resolution(picked).read(writer, reader, picked === undefined ? 'all' : 'picked');
}

/** @throws {Error} from each call: why the two types do not match */
export function resolving(): Resolve {
  const resolution = new Resolution(undefined);
  return (writer, reader, kept) => resolution.read(writer, reader, kept);
}

interface Known {
  read: Read;
  failure?: Error;
}

class Resolution {
  readonly #picked: ReadonlySet<RecordField> | undefined;
  /** The readers of records, which may refer back to themselves. */
  readonly #known = new Map<RecordType, Map<RecordType, Map<Kept, Known>>>();
  readonly #skips = new Map<RecordType, Known>();
  #pairs = 0;

  constructor(picked: ReadonlySet<RecordField> | undefined) {
    this.#picked = picked;
  }

  read(writer: AvroType, reader: AvroType, kept: Kept): Read {
    if (++this.#pairs > MAX_PAIRS) throw new Error(`the schema takes more than ${MAX_PAIRS} steps to resolve`);
    if (writer.kind === 'union') return this.#readUnion(writer, reader, kept);
    if (reader.kind === 'union') return this.#readIntoUnion(writer, reader, kept);
    refuseOtherMeaning(writer, reader);
    if (writer.kind === 'record' && reader.kind === 'record') return this.#readRecord(writer, reader, kept);
    if (writer.kind === 'array' && reader.kind === 'array') {
      return arrayReader(this.read(writer.items, reader.items, kept), takesBytes(writer.items), kept);
    }
    if (writer.kind === 'map' && reader.kind === 'map') {
      return mapReader(this.read(writer.values, reader.values, kept), kept);
    }
    if (writer.kind === 'enum' && reader.kind === 'enum') {
      requireName(writer, reader);
      return enumReader(writer, reader);
    }
    if (isDecimal(writer) && isDecimal(reader)) {
      // By the specification they match, as bytes or fixed: scale and precision have been compared.
      return writer.kind === 'fixed' ? (input) => input.bytes(writer.size) : decimalReader;
    }
    if (writer.kind === 'fixed' && reader.kind === 'fixed') {
      requireName(writer, reader);
      const { size } = writer;
      if (size === reader.size) return kept === 'none' ? (input) => input.skip(size) : (input) => input.bytes(size);
    }
    if (reader.kind === 'bytes' && reader.logical !== undefined) {
      if (writer.kind !== 'bytes') throw unreadable(writer, reader);
      return reader.logical.name === 'decimal' ? decimalReader : bigDecimalReader;
    }
    const convert = PROMOTIONS[`${writer.kind} ${reader.kind}`];
    if (convert !== undefined) {
      const read = primitiveReader(writer.kind);
      return kept === 'none' ? skipper(writer.kind) : (input) => convert(read(input));
    }
    if (writer.kind !== reader.kind || writer.kind === 'fixed') {
      throw unreadable(writer, reader);
    }
    return kept === 'none' ? skipper(writer.kind) : primitiveReader(writer.kind);
  }

  /** Only the branch that an event uses has to match; a union none of whose branches matches is refused. */
  #readUnion(writer: UnionType, reader: AvroType, kept: Kept): Read {
    let failure: Error | undefined;
    let fitting = 0;
    const branches = writer.branches.map((branch): Read => {
      try {
        const read = this.read(branch, reader, kept);
        fitting++;
        return read;
      } catch (error) {
        failure ??= error as Error;
        const { message } = error as Error;
        return () => {
          throw new MalformedEventError(message);
        };
      }
    });
    if (fitting === 0 && failure !== undefined) throw failure;
    return branchReader(branches);
  }

  #readIntoUnion(writer: AvroType, { branches }: UnionType, kept: Kept): Read {
    const byName = 'name' in writer ? branches.filter((one) => 'name' in one && one.name === writer.name) : [];
    const alike = branches.filter((one) => one.kind === writer.kind && !byName.includes(one));
    const others = branches.filter((one) => one.kind !== writer.kind);
    let failure: Error | undefined;
    for (const branch of [...byName, ...alike, ...others]) {
      try {
        return this.read(writer, branch, kept);
      } catch (error) {
        failure ??= error as Error;
      }
    }
    throw failure ?? new Error('a union without branches');
  }

  #readRecord(writer: RecordType, reader: RecordType, kept: Kept): Read {
    const byReader = this.#known.get(writer) ?? new Map<RecordType, Map<Kept, Known>>();
    const byKept = byReader.get(reader) ?? new Map<Kept, Known>();
    this.#known.set(writer, byReader);
    byReader.set(reader, byKept);
    return lazily(byKept, kept, () => this.#makeRecord(writer, reader, kept));
  }

  #makeRecord(writer: RecordType, reader: RecordType, kept: Kept): Read {
    requireName(writer, reader);
    const isKept = (field: RecordField) => kept === 'all' || (kept === 'picked' && this.#picked?.has(field) === true);
    const filled = new Map<RecordField, number>();
    reader.fields.forEach((field, slot) => {
      const from = writtenAs(field, writer);
      if (from !== undefined) filled.set(from, slot);
    });
    const steps = writer.fields.map((from) => {
      const slot = filled.get(from) ?? -1;
      const field = reader.fields[slot];
      if (field === undefined) return { read: this.#skip(from.type), slot: -1 };
      const read = this.read(from.type, field.type, isKept(field) ? kept : 'none');
      return { read, slot: isKept(field) ? slot : -1 };
    });
    const isWritten = new Set(filled.values());
    const blank = reader.fields.map((field, slot) => {
      if (isWritten.has(slot)) return undefined;
      if (field.fallback !== undefined) return isKept(field) ? defaultOf(field.type, field.fallback.json) : undefined;
      throw new Error(`"${field.name}" of ${reader.name} is not written, and has no default`);
    });
    return recordReader(steps, blank, kept !== 'none');
  }

  #skip(writer: AvroType): Read {
    if (++this.#pairs > MAX_PAIRS) throw new Error(`the schema takes more than ${MAX_PAIRS} steps to resolve`);
    switch (writer.kind) {
      case 'union':
        return branchReader(writer.branches.map((branch) => this.#skip(branch)));
      case 'array':
        return arrayReader(this.#skip(writer.items), takesBytes(writer.items), 'none');
      case 'map':
        return mapReader(this.#skip(writer.values), 'none');
      case 'record':
        return lazily(this.#skips, writer, () => {
          const steps = writer.fields.map(({ type }) => ({ read: this.#skip(type), slot: -1 }));
          return recordReader(steps, [], false);
        });
      case 'enum':
        return enumReader(writer, writer);
      case 'fixed':
        return (input) => input.skip(writer.size);
      default:
        return skipper(writer.kind);
    }
  }
}

/** A type that refers back to itself while its reader is being made gets a reader that is looked up later. */
function lazily<Key>(known: Map<Key, Known>, key: Key, make: () => Read): Read {
  const before = known.get(key);
  if (before?.failure !== undefined) throw before.failure;
  if (before !== undefined) return (input) => before.read(input);
  const entry: Known = {
    read: () => {
      throw new MalformedEventError(entry.failure?.message ?? 'a type that could not be resolved');
    },
  };
  known.set(key, entry);
  try {
    entry.read = make();
    return entry.read;
  } catch (error) {
    entry.failure = error as Error;
    throw error;
  }
}

const unreadable = (writer: AvroType, reader: AvroType) =>
  new Error(`a ${nameOfType(writer)} can't be read as a ${nameOfType(reader)}`);

function requireName(writer: NamedType, reader: NamedType): void {
  const names = [reader.name, ...reader.aliases].map(unqualified);
  if (names.includes(unqualified(writer.name))) return;
  throw new Error(`the ${writer.kind} ${writer.name} is not ${reader.name}, nor one of its aliases`);
}

/** The writer's field whose value the reader's field gets. */
export function writtenAs(field: RecordField, writer: RecordType): RecordField | undefined {
  for (const name of [field.name, ...field.aliases]) {
    const found = writer.fields.find((one) => one.name === name);
    if (found !== undefined) return found;
  }
  return undefined;
}

const withBytes = new WeakMap<RecordType, boolean>();

/** Returns whether a value takes at least one byte. */
function takesBytes(type: AvroType): boolean {
  if (type.kind === 'null') return false;
  if (type.kind === 'fixed') return type.size > 0;
  if (type.kind !== 'record') return true;
  const known = withBytes.get(type);
  if (known !== undefined) return known;
  // For a record that refers back to itself, its other fields decide.
  withBytes.set(type, false);
  const found = type.fields.some((field) => takesBytes(field.type));
  withBytes.set(type, found);
  return found;
}

const asText = (value: unknown) => (value as Buffer).toString('utf8');
const asFloat = (value: unknown) => Math.fround(Number(value));

const PROMOTIONS: Readonly<Record<string, (value: unknown) => unknown>> = {
  'int long': (value) => value,
  'int float': asFloat,
  'int double': (value) => value,
  'long float': asFloat,
  'long double': Number,
  'float double': (value) => value,
  'string bytes': (value) => Buffer.from(value as string, 'utf8'),
  'bytes string': asText,
};
