/**
 * Avro schemas, parsed into a graph of types. Writers' schemas come from outside, so the cost of a schema is limited
 * before it is used.
 */

const PRIMITIVES = ['null', 'boolean', 'int', 'long', 'float', 'double', 'string', 'bytes'] as const;
export type PrimitiveKind = (typeof PRIMITIVES)[number];

/** The logical type: one of those that the Avro specification names, with valid attributes. */
export interface LogicalType {
  readonly name: string;
  /** For decimals only. */
  readonly precision?: number;
  readonly scale?: number;
}

export interface PrimitiveType {
  readonly kind: PrimitiveKind;
  readonly logical?: LogicalType;
}
export interface FixedType {
  readonly kind: 'fixed';
  readonly name: string;
  readonly aliases: readonly string[];
  readonly size: number;
  readonly logical?: LogicalType;
}
export interface EnumType {
  readonly kind: 'enum';
  readonly name: string;
  readonly aliases: readonly string[];
  readonly symbols: readonly string[];
  readonly fallback?: string;
}
export interface ArrayType {
  readonly kind: 'array';
  readonly items: AvroType;
}
export interface MapType {
  readonly kind: 'map';
  readonly values: AvroType;
}
export interface UnionType {
  readonly kind: 'union';
  readonly branches: readonly AvroType[];
}
export interface RecordField {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly type: AvroType;
  /** The field's default, as JSON; absent if it has none. */
  readonly fallback?: { readonly json: unknown };
  /** Only in our own schemas: a text that the document shows, whatever the writer wrote. */
  readonly constant?: string;
  /** The documentation in the schema. */
  readonly doc?: string;
}
export interface RecordType {
  readonly kind: 'record';
  /** The documentation in the schema. */
  readonly doc?: string;
  /** The name with its namespace. */
  readonly name: string;
  readonly aliases: readonly string[];
  readonly fields: readonly RecordField[];
}
export type NamedType = RecordType | EnumType | FixedType;
export type AvroType = PrimitiveType | NamedType | ArrayType | MapType | UnionType;

/** The limit of characters of a schema's text, including the schemas that it refers to. */
export const MAX_SCHEMA_CHARS = 512 * 1024;
/** The limit of types and fields of a schema. */
const MAX_SCHEMA_PARTS = 10_000;
export const MAX_UNION_BRANCHES = 100;
/** The limit of nesting in the schema's text. */
const MAX_SCHEMA_DEPTH = 64;
/** The limit of bytes of a decimal, enough for 1,000 digits: the time to render more grows fast. */
export const MAX_DECIMAL_BYTES = 416;
/** The limit of the scale that a big-decimal states: the number of digits after the point, or of zeros before it. */
export const MAX_BIG_DECIMAL_SCALE = 1_000;

/**
 * @param references texts of the schemas that it refers to, each after those that it refers to itself
 * @throws {Error} which names the mistake in the schema, or the limit that it exceeds
 */
export function parseSchema(text: string, references: readonly string[] = []): AvroType {
  const chars = references.reduce((sum, one) => sum + one.length, text.length);
  if (chars > MAX_SCHEMA_CHARS)
    throw new Error(`the schema has ${chars} characters, at most ${MAX_SCHEMA_CHARS} are read`);
  const parser = new SchemaParser();
  for (const reference of references) parser.parse(JSON.parse(reference), '', 0);
  return parser.parse(JSON.parse(text), '', 0);
}

type Attributes = Readonly<Record<string, unknown>>;

class SchemaParser {
  readonly #named = new Map<string, NamedType>();
  readonly #primitives = new Map<string, PrimitiveType>();
  #parts = 0;

  parse(schema: unknown, namespace: string, depth: number): AvroType {
    this.#count(depth);
    if (typeof schema === 'string') return this.#referred(schema, namespace);
    if (Array.isArray(schema)) return this.#union(schema, namespace, depth);
    if (typeof schema !== 'object' || schema === null) throw new Error(`${JSON.stringify(schema)} is no schema`);
    const attributes = schema as Attributes;
    const { type } = attributes;
    switch (type) {
      case 'record':
      case 'error':
        return this.#record(attributes, namespace, depth);
      case 'enum':
        return this.#enum(attributes, namespace);
      case 'fixed':
        return this.#fixed(attributes, namespace);
      case 'array':
        return { kind: 'array', items: this.parse(attributes['items'], namespace, depth + 1) };
      case 'map':
        return { kind: 'map', values: this.parse(attributes['values'], namespace, depth + 1) };
    }
    const bare = this.parse(type, namespace, depth + 1);
    if (!isPrimitive(bare.kind)) return bare;
    const logical = logicalOf(attributes, bare.kind);
    return logical === undefined ? bare : { kind: bare.kind, logical };
  }

  #count(depth: number): void {
    if (depth > MAX_SCHEMA_DEPTH) throw new Error(`the schema is nested deeper than ${MAX_SCHEMA_DEPTH} levels`);
    if (++this.#parts > MAX_SCHEMA_PARTS)
      throw new Error(`the schema has more than ${MAX_SCHEMA_PARTS} types and fields`);
  }

  #referred(name: string, namespace: string): AvroType {
    if (isPrimitive(name)) {
      const primitive = this.#primitives.get(name) ?? { kind: name };
      this.#primitives.set(name, primitive);
      return primitive;
    }
    const found = this.#named.get(qualified(name, namespace)) ?? this.#named.get(name);
    if (found === undefined) throw new Error(`the schema names the type "${name}", which it does not define`);
    return found;
  }

  #union(schemas: readonly unknown[], namespace: string, depth: number): UnionType {
    if (schemas.length === 0) throw new Error('the schema has a union without branches');
    if (schemas.length > MAX_UNION_BRANCHES) {
      throw new Error(`the schema has a union of ${schemas.length} branches, at most ${MAX_UNION_BRANCHES} are read`);
    }
    const branches = schemas.map((one) => this.parse(one, namespace, depth + 1));
    if (branches.some(({ kind }) => kind === 'union')) throw new Error('the schema has a union inside a union');
    return { kind: 'union', branches };
  }

  #record(attributes: Attributes, namespace: string, depth: number): RecordType {
    const { name, aliases, space } = nameOf(attributes, namespace);
    const fields: RecordField[] = [];
    // It is registered before its fields, which may refer to it.
    const record = this.#define({ kind: 'record', name, aliases, fields, ...docOf(attributes) });
    const { fields: schemas } = attributes;
    if (!Array.isArray(schemas)) throw new Error(`the record "${name}" has no fields`);
    const names = new Set<string>();
    for (const schema of schemas as readonly Attributes[]) {
      this.#count(depth);
      const field = schema?.['name'];
      if (typeof field !== 'string') throw new Error(`a field of "${name}" has no name`);
      if (names.has(field)) throw new Error(`the record "${name}" has two fields "${field}"`);
      names.add(field);
      const type = this.parse(schema['type'], space, depth + 1);
      const fallback = Object.hasOwn(schema, 'default') ? { fallback: { json: schema['default'] } } : {};
      const constant = typeof schema['constant'] === 'string' ? { constant: schema['constant'] } : {};
      fields.push({
        name: field,
        aliases: textsOf(schema['aliases']),
        type,
        ...fallback,
        ...constant,
        ...docOf(schema),
      });
    }
    return record;
  }

  #enum(attributes: Attributes, namespace: string): EnumType {
    const { name, aliases } = nameOf(attributes, namespace);
    const symbols = textsOf(attributes['symbols']);
    if (symbols.length === 0) throw new Error(`the enum "${name}" has no symbols`);
    const fallback = typeof attributes['default'] === 'string' ? { fallback: attributes['default'] } : {};
    return this.#define({ kind: 'enum', name, aliases, symbols, ...fallback });
  }

  #fixed(attributes: Attributes, namespace: string): FixedType {
    const { name, aliases } = nameOf(attributes, namespace);
    const size = attributes['size'];
    if (!Number.isSafeInteger(size) || (size as number) < 0) throw new Error(`the fixed "${name}" has no size`);
    const logical = logicalOf(attributes, 'fixed', size as number);
    return this.#define({ kind: 'fixed', name, aliases, size: size as number, ...(logical && { logical }) });
  }

  #define<Type extends NamedType>(type: Type): Type {
    if (this.#named.has(type.name)) throw new Error(`the schema defines "${type.name}" twice`);
    this.#named.set(type.name, type);
    return type;
  }
}

function isPrimitive(name: string): name is PrimitiveKind {
  return (PRIMITIVES as readonly string[]).includes(name);
}

function nameOf(attributes: Attributes, enclosing: string): { name: string; aliases: string[]; space: string } {
  const { name, namespace, type } = attributes;
  if (typeof name !== 'string' || name === '') throw new Error(`the schema has a ${type} without a name`);
  if (isPrimitive(name)) throw new Error(`the schema gives the name "${name}" to a ${type}`);
  // `null`, as some generators write, is none: Java's library reads it so.
  const full = qualified(name, typeof namespace === 'string' ? namespace : enclosing);
  const space = full.includes('.') ? full.slice(0, full.lastIndexOf('.')) : '';
  return { name: full, aliases: textsOf(attributes['aliases']).map((alias) => qualified(alias, space)), space };
}

function qualified(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

/** A name without its namespace: by which the Avro specification matches a reader's type with a writer's. */
export function unqualified(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

function docOf({ doc }: Attributes): { doc?: string } {
  return typeof doc === 'string' ? { doc } : {};
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

const LOGICAL: Readonly<Record<string, readonly AvroType['kind'][]>> = {
  decimal: ['bytes', 'fixed'],
  'big-decimal': ['bytes'],
  uuid: ['string', 'fixed'],
  date: ['int'],
  'time-millis': ['int'],
  'time-micros': ['long'],
  'timestamp-millis': ['long'],
  'timestamp-micros': ['long'],
  'timestamp-nanos': ['long'],
  'local-timestamp-millis': ['long'],
  'local-timestamp-micros': ['long'],
  'local-timestamp-nanos': ['long'],
  duration: ['fixed'],
};

/** The specification says to ignore a logical type that is unknown, or not valid for its type. */
function logicalOf(attributes: Attributes, kind: AvroType['kind'], size?: number): LogicalType | undefined {
  const name = attributes['logicalType'];
  if (typeof name !== 'string' || !Object.hasOwn(LOGICAL, name) || !LOGICAL[name]?.includes(kind)) return undefined;
  if (name === 'duration') return size === 12 ? { name } : undefined;
  if (name === 'uuid') return size === undefined || size === 16 ? { name } : undefined;
  if (name !== 'decimal') return { name };
  const { precision, scale = 0 } = attributes;
  const isValid = isCount(precision) && isCount(scale) && precision > 0 && scale <= precision;
  return isValid && precision <= 1_000 && (size ?? 0) <= MAX_DECIMAL_BYTES ? { name, precision, scale } : undefined;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** The other branch of a union of null and one type. */
export function nullable(type: AvroType): AvroType | undefined {
  if (type.kind !== 'union') return undefined;
  const others = type.branches.filter(({ kind }) => kind !== 'null');
  return others.length === 1 && type.branches.length === 2 ? others[0] : undefined;
}

/** The name of a type in messages. */
export function nameOfType(type: AvroType): string {
  if (type.kind === 'union') return `union of ${type.branches.map(nameOfType).join(' and ')}`;
  return 'name' in type ? `${type.kind} ${type.name}` : type.kind;
}
