/** The JSON document that customers get of a decoded event: the pinned schema's fields, in its order. */
import avsc from 'avsc';

/** Renders a value that avsc decoded with the type for which the renderer was made. */
export type JsonRenderer = (value: unknown) => string;

/**
 * - A nullable field of the root, and a nullable record anywhere, is a section: absent when null.
 * - Any other nullable field is shown as null: the receiver is told that there is no value.
 * - Bytes become base64.
 * @param constants root fields whose value is fixed by the document's version, whatever the writer wrote
 * @param wanted the root's sections to render; left out: all of them
 * @throws {TypeError} for what has no one obvious form in JSON, such as a union of several types
 */
export function jsonRenderer(
  type: avsc.Type,
  constants: ReadonlyMap<string, string>,
  wanted?: readonly string[],
): JsonRenderer {
  if (!isRecord(type)) throw new TypeError(`an event is a record, not ${type.typeName}`);
  const left = wanted && new Set(sectionsOf(type).filter((name) => !wanted.includes(name)));
  return recordRenderer(type, constants, true, left);
}

/** The parts of an event that it may or may not have, in the schema's order. What else it has is always there. */
export function sectionsOf(type: avsc.types.RecordType): string[] {
  return type.fields.filter((field) => nullable(field.type) !== undefined).map(({ name }) => name);
}

function recordRenderer(
  type: avsc.types.RecordType,
  constants: ReadonlyMap<string, string>,
  isRoot: boolean,
  leftOut: ReadonlySet<string> = new Set(),
): JsonRenderer {
  const shown = type.fields.filter(({ name }) => !leftOut.has(name));
  const fields = shown.map((field) => {
    const constant = constants.get(field.name);
    const optional = nullable(field.type);
    return {
      name: field.name,
      prefix: `${JSON.stringify(field.name)}:`,
      isAbsentWhenNull: optional !== undefined && (isRoot || isRecord(optional)),
      render: constant === undefined ? valueRenderer(field.type) : () => JSON.stringify(constant),
    };
  });
  return (value) => {
    const record = value as Readonly<Record<string, unknown>>;
    let json = '';
    for (const field of fields) {
      const member = record[field.name];
      if (member === null && field.isAbsentWhenNull) continue;
      json += `${json === '' ? '{' : ','}${field.prefix}${field.render(member)}`;
    }
    return json === '' ? '{}' : `${json}}`;
  };
}

function valueRenderer(type: avsc.Type): JsonRenderer {
  const optional = nullable(type);
  if (optional) {
    const render = valueRenderer(optional);
    return (value) => (value === null ? 'null' : render(value));
  }
  if (isRecord(type)) return recordRenderer(type, new Map(), false);
  if (isArray(type)) {
    const render = valueRenderer(type.itemsType);
    return (value) => `[${(value as unknown[]).map(render).join(',')}]`;
  }
  if (isMap(type)) {
    const render = valueRenderer(type.valuesType as avsc.Type);
    return (value) => {
      const members = Object.entries(value as object).map(
        ([key, member]) => `${JSON.stringify(key)}:${render(member)}`,
      );
      return `{${members.join(',')}}`;
    };
  }
  switch (type.typeName) {
    case 'null':
    case 'boolean':
    case 'int':
    case 'long':
    case 'float':
    case 'double':
    case 'string':
    case 'enum':
      return (value) => JSON.stringify(value);
    case 'bytes':
    case 'fixed':
      return (value) => JSON.stringify((value as Buffer).toString('base64'));
    default:
      throw new TypeError(`${type.typeName} can't be rendered as JSON`);
  }
}

/** The other branch of a union of null and one type. */
export function nullable(type: avsc.Type): avsc.Type | undefined {
  if (!avsc.Type.isType(type, 'union')) return undefined;
  const others = (type as avsc.types.UnwrappedUnionType).types.filter((branch) => branch.typeName !== 'null');
  return others.length === 1 ? others[0] : undefined;
}

export function isRecord(type: avsc.Type): type is avsc.types.RecordType {
  return type.typeName === 'record';
}

function isArray(type: avsc.Type): type is avsc.types.ArrayType {
  return type.typeName === 'array';
}

function isMap(type: avsc.Type): type is avsc.types.MapType {
  return type.typeName === 'map';
}
