/** The readers of single values, by the Avro specification's binary encoding: what resolution composes. */
import { MalformedEventError } from '../../errors.ts';
import type { AvroInput } from './avro-input.ts';
import { type AvroType, type EnumType, MAX_BIG_DECIMAL_SCALE, MAX_DECIMAL_BYTES } from './avro-schema.ts';
import { bigDecimalOf } from './avro-values.ts';

/** Reads one value; the data must fit the schema even if the value is not kept. */
export type Read = (input: AvroInput) => unknown;

/**
 * - `all`: the whole value.
 * - `picked`: of records, only the picked fields; the others' slots stay empty.
 * - `none`: nothing; the data are only checked.
 */
export type Kept = 'all' | 'picked' | 'none';

export function primitiveReader(kind: AvroType['kind']): Read {
  switch (kind) {
    case 'null':
      return () => null;
    case 'boolean':
      return (input) => input.boolean();
    case 'int':
      return (input) => input.int();
    case 'long':
      return (input) => input.long();
    case 'float':
      return (input) => input.float();
    case 'double':
      return (input) => input.double();
    case 'string':
      return (input) => input.string();
    default:
      return (input) => input.bytes();
  }
}

export function decimalReader(input: AvroInput): unknown {
  const bytes = input.bytes();
  if (bytes.length <= MAX_DECIMAL_BYTES) return bytes;
  throw new MalformedEventError(`a decimal has ${bytes.length} bytes, at most ${MAX_DECIMAL_BYTES} are read`);
}

/**
 * The value that logical-values.ts shows: its bytes contain the unscaled value and the scale, as Avro writes bytes and an
 * int.
 */
export function bigDecimalReader(input: AvroInput): unknown {
  const bytes = input.bytes();
  const { unscaled, scale } = bigDecimalOf(bytes);
  if (unscaled.length > MAX_DECIMAL_BYTES || Math.abs(scale) > MAX_BIG_DECIMAL_SCALE) {
    throw new MalformedEventError(
      `a big-decimal has ${unscaled.length} bytes and the scale ${scale}, at most ${MAX_DECIMAL_BYTES} and ${MAX_BIG_DECIMAL_SCALE} are read`,
    );
  }
  return bytes;
}

export function skipper(kind: AvroType['kind']): Read {
  switch (kind) {
    case 'string':
    case 'bytes':
      return (input) => input.skip();
    case 'float':
      return (input) => input.skip(4);
    case 'double':
      return (input) => input.skip(8);
    default:
      return primitiveReader(kind);
  }
}

export function branchReader(branches: readonly Read[]): Read {
  return (input) => {
    const read = branches[Number(input.long())];
    if (read === undefined) throw new MalformedEventError('a union has no branch of that number');
    return read(input);
  };
}

export function enumReader(writer: EnumType, reader: EnumType): Read {
  const known = new Set(reader.symbols);
  const symbols = writer.symbols.map((symbol) => (known.has(symbol) ? symbol : reader.fallback));
  return (input) => {
    const index = input.int();
    const symbol = symbols[index];
    if (symbol !== undefined) return symbol;
    throw new MalformedEventError(`${writer.symbols[index] ?? index} is no symbol of ${reader.name}`);
  };
}

export function arrayReader(read: Read, itemsTakeBytes: boolean, kept: Kept): Read {
  if (kept === 'none') return (input) => input.blocks(itemsTakeBytes, () => void read(input));
  return (input) => {
    const items: unknown[] = [];
    input.blocks(itemsTakeBytes, () => items.push(read(input)));
    return items;
  };
}

export function mapReader(read: Read, kept: Kept): Read {
  if (kept === 'none') {
    return (input) =>
      input.blocks(true, () => {
        input.skip();
        read(input);
      });
  }
  return (input) => {
    const entries = new Map<string, unknown>();
    input.blocks(true, () => entries.set(input.string(), read(input)));
    return entries;
  };
}

export interface Step {
  readonly read: Read;
  /** -1: the field is not kept. */
  readonly slot: number;
}

export function recordReader(steps: readonly Step[], blank: readonly unknown[], isKept: boolean): Read {
  const values = Math.max(steps.length, blank.length);
  if (!isKept) {
    return (input) => {
      input.enter(values);
      for (const { read } of steps) read(input);
      input.leave();
    };
  }
  return (input) => {
    input.enter(values);
    const record = blank.slice();
    for (const { read, slot } of steps) {
      const value = read(input);
      if (slot >= 0) record[slot] = value;
    }
    input.leave();
    return record;
  };
}
