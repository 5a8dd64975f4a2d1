/** Makes a sample event from its schema, for testing an endpoint. */
import { type AvroType, nullable } from './avro/avro-schema.ts';

const SAMPLE_UUID = '00000000-0000-4000-8000-000000000000';

/**
 * @param inside the records around the value: a list of an event's own kind is empty, an optional one absent
 * @returns a value of the type, every optional part present, texts saying that they are samples
 * @throws {TypeError} for a record that can't end
 */
export function sampleOf(type: AvroType, name = '', inside: readonly AvroType[] = []): unknown {
  const optional = nullable(type);
  if (optional) return inside.includes(optional) ? null : sampleOf(optional, name, inside);
  switch (type.kind) {
    case 'null':
      return null;
    case 'boolean':
      return true;
    case 'int':
    case 'long':
    case 'float':
    case 'double':
      return 0;
    case 'string':
      if (type.logical?.name === 'uuid') return SAMPLE_UUID;
      return name === '' ? 'sample' : `sample ${name}`;
    case 'bytes':
      if (type.logical?.name === 'big-decimal') return Buffer.from([2, 0, 0]);
      return type.logical === undefined ? Buffer.from('sample') : Buffer.alloc(1);
    case 'fixed':
      return Buffer.alloc(type.size);
    case 'enum':
      return type.symbols[0];
    case 'array':
      return inside.includes(type.items) ? [] : [sampleOf(type.items, name, inside)];
    case 'map':
      return new Map(inside.includes(type.values) ? [] : [['sample', sampleOf(type.values, name, inside)]]);
    case 'record':
      if (inside.includes(type)) throw new TypeError(`${type.name} contains itself, so no such event can end`);
      return type.fields.map((field) => sampleOf(field.type, field.name, [...inside, type]));
    case 'union':
      throw new TypeError('there is no sample of a union of several types');
  }
}
