/** An event as it could come, made from nothing but its schema: for customers who try their endpoint. */
import type avsc from 'avsc';
import { nullable } from './json-rendering.ts';

/** @returns a value of the type, every optional part present, texts saying that they are samples */
export function sampleOf(type: avsc.Type, name = ''): unknown {
  const optional = nullable(type);
  if (optional) return sampleOf(optional, name);
  switch (type.typeName) {
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
      return name === '' ? 'sample' : `sample ${name}`;
    case 'bytes':
      return Buffer.from('sample');
    case 'fixed':
      return Buffer.alloc((type as avsc.types.FixedType).size);
    case 'enum':
      return (type as avsc.types.EnumType).symbols[0];
    case 'array':
      return [sampleOf((type as avsc.types.ArrayType).itemsType, name)];
    case 'map':
      return { sample: sampleOf((type as avsc.types.MapType).valuesType as avsc.Type, name) };
    case 'record': {
      const { fields } = type as avsc.types.RecordType;
      return Object.fromEntries(fields.map((field) => [field.name, sampleOf(field.type, field.name)]));
    }
    default:
      throw new TypeError(`there is no sample of ${type.typeName}`);
  }
}
