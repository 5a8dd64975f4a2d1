/** Finds every place where an event, given as JSON, does not fit its Avro schema. */
import type avsc from 'avsc';

export interface EventMisfit {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

type Types = typeof avsc.types;
type Of<Name extends keyof Types> = InstanceType<Types[Name]>;

export function misfitsOf(type: avsc.Type, value: unknown, path: EventMisfit['path'] = []): EventMisfit[] {
  if (type.typeName.startsWith('union:')) return misfitsOfUnion(type as Of<'UnwrappedUnionType'>, value, path);
  if (type.typeName === 'record') return misfitsOfRecord(type as Of<'RecordType'>, value, path);
  if (type.typeName === 'array' && Array.isArray(value)) {
    const { itemsType } = type as Of<'ArrayType'>;
    return value.flatMap((item, index) => misfitsOf(itemsType, item, [...path, index]));
  }
  return type.isValid(value) ? [] : [{ path, message: `must be ${named(type)}, not ${shown(value)}` }];
}

function misfitsOfRecord(type: Of<'RecordType'>, value: unknown, path: EventMisfit['path']): EventMisfit[] {
  if (!isObject(value)) return [{ path, message: `must be an object (${named(type)}), not ${shown(value)}` }];
  const known = new Set(type.fields.map(({ name }) => name));
  const unknown = Object.keys(value).filter((name) => !known.has(name));
  return [
    ...type.fields.flatMap((field) => {
      const given = value[field.name];
      if (given !== undefined) return misfitsOf(field.type, given, [...path, field.name]);
      return field.defaultValue() === undefined ? [{ path: [...path, field.name], message: 'is missing' }] : [];
    }),
    ...unknown.map((name) => ({ path: [...path, name], message: 'is not a field of the schema' })),
  ];
}

/** An optional record or list is searched, so that the mistake inside it is named instead of the whole. */
function misfitsOfUnion(type: Of<'UnwrappedUnionType'>, value: unknown, path: EventMisfit['path']): EventMisfit[] {
  if (type.isValid(value, { noUndeclaredFields: true })) return [];
  const [branch, ...others] = type.types.filter(({ typeName }) => typeName !== 'null');
  if (branch !== undefined && others.length === 0 && value !== null) return misfitsOf(branch, value, path);
  return [{ path, message: `must be ${type.types.map(named).join(' or ')}, not ${shown(value)}` }];
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const named = (type: avsc.Type): string => type.name ?? type.typeName;

const MAX_SHOWN_CHARS = 80;
const shown = (value: unknown) => (JSON.stringify(value) ?? typeof value).slice(0, MAX_SHOWN_CHARS);
