/**
 * The form of decoded values in memory, and a schema's defaults in that form.
 *
 * - A record is an array of its fields' values, in the order of the reader's schema: names cannot conflict.
 * - A map is a `Map`, which accepts any key.
 * - A long is a number, or a bigint if a number would not be exact.
 * - Bytes and fixed are a `Buffer`, an enum is its symbol; logical types are held as the types that they are made of.
 */
import { AvroInput, MAX_DEPTH } from './avro-input.ts';
import { type AvroType, nameOfType, type RecordType } from './avro-schema.ts';

export type RecordValue = readonly unknown[];
export type MapValue = ReadonlyMap<string, unknown>;

/** @throws {MalformedEventError} if the bytes are not UTF-8 */
export function bigDecimalOf(bytes: Buffer): { readonly unscaled: Buffer; readonly scale: number } {
  const input = new AvroInput(bytes);
  const value = { unscaled: input.bytes(), scale: input.int() };
  input.end();
  return value;
}

/** @throws {Error} if the schema's JSON default is not of that type, or is recursive */
export function defaultOf(type: AvroType, json: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH) throw new Error(`the default ${JSON.stringify(json)} of a ${nameOfType(type)} has no end`);
  switch (type.kind) {
    case 'null':
      if (json === null) return null;
      break;
    case 'boolean':
    case 'string':
      if (typeof json === type.kind) return json;
      break;
    case 'int':
      if (Number.isInteger(json) && (json as number) === ((json as number) | 0)) return json;
      break;
    case 'long':
      if (Number.isSafeInteger(json)) return json;
      break;
    case 'float':
    case 'double':
      if (typeof json === 'number') return type.kind === 'float' ? Math.fround(json) : json;
      break;
    case 'bytes':
      if (isBytesText(json)) return Buffer.from(json, 'latin1');
      break;
    case 'fixed':
      if (isBytesText(json) && json.length === type.size) return Buffer.from(json, 'latin1');
      break;
    case 'enum':
      if (typeof json === 'string' && type.symbols.includes(json)) return json;
      break;
    case 'array':
      if (Array.isArray(json)) return json.map((one) => defaultOf(type.items, one, depth + 1));
      break;
    case 'map':
      if (isObject(json))
        return new Map(Object.entries(json).map(([key, one]) => [key, defaultOf(type.values, one, depth + 1)]));
      break;
    case 'record':
      if (isObject(json)) return recordDefault(type, json, depth);
      break;
    case 'union':
      return unionDefault(type.branches, json, depth);
  }
  throw new Error(`the default ${JSON.stringify(json)} is no ${nameOfType(type)}`);
}

/** A character is a byte: those beyond U+00FF are none. */
function isBytesText(json: unknown): json is string {
  return typeof json === 'string' && !/[^\0-\xff]/.test(json);
}

function recordDefault(type: RecordType, json: Readonly<Record<string, unknown>>, depth: number): RecordValue {
  return type.fields.map(({ name, type: of, fallback }) => {
    if (Object.hasOwn(json, name)) return defaultOf(of, json[name], depth + 1);
    if (fallback !== undefined) return defaultOf(of, fallback.json, depth + 1);
    throw new Error(`the default ${JSON.stringify(json)} has no "${name}"`);
  });
}

/** The specification requires the first branch up to 1.11, and allows any of them since 1.12. */
function unionDefault(branches: readonly AvroType[], json: unknown, depth: number): unknown {
  for (const branch of branches) {
    try {
      return defaultOf(branch, json, depth);
    } catch {
      // The default may be that of another branch.
    }
  }
  throw new Error(`the default ${JSON.stringify(json)} is no ${branches.map(nameOfType).join(' nor ')}`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
