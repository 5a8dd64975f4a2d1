import { Ajv2020 } from 'ajv/dist/2020.js';
import avsc from 'avsc';
import { frame } from './confluent-frame.ts';
import { describedEventType, EventType, eventTypeNames } from './event-types.ts';

const EVERYTHING = {
  type: 'record',
  name: 'Everything',
  namespace: 'test',
  doc: 'One field of each kind.',
  fields: [
    { name: 'schema_version', type: 'string', constant: 'v1.0', doc: 'Which version.' },
    { name: 'flag', type: 'boolean' },
    { name: 'small', type: 'int' },
    { name: 'large', type: 'long' },
    { name: 'single', type: 'float' },
    { name: 'ratio', type: 'double' },
    { name: 'raw', type: 'bytes' },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B'] } },
    { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 4 } },
    { name: 'list', type: { type: 'array', items: ['null', 'long'] } },
    { name: 'byName', type: { type: 'map', values: 'string' } },
    { name: 'price', type: { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 } },
    { name: 'whole', type: { type: 'bytes', logicalType: 'decimal', precision: 9 } },
    { name: 'day', type: { type: 'int', logicalType: 'date' } },
    { name: 'clock', type: { type: 'int', logicalType: 'time-millis' } },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'there', type: { type: 'long', logicalType: 'local-timestamp-nanos' } },
    { name: 'span', type: { type: 'fixed', name: 'Span', size: 12, logicalType: 'duration' } },
    { name: 'section', type: ['null', 'string'], default: null },
    {
      name: 'tree',
      type: [
        'null',
        {
          type: 'record',
          name: 'Tree',
          fields: [
            { name: 'note', type: ['null', 'string'] },
            { name: 'child', type: ['null', 'Tree'] },
          ],
        },
      ],
      default: null,
    },
  ],
};

const everything = new EventType('everything', 'everything.events', JSON.stringify(EVERYTHING));

/** Strict: a keyword that JSON Schema does not have is a mistake of ours. */
const validatorOf = (type: EventType) => {
  const ajv = new Ajv2020({ strict: true, strictRequired: true, formats: { int64: true } });
  const validate = ajv.compile(type.jsonSchema);
  return (document: unknown) => (validate(document) ? [] : (validate.errors ?? []));
};

test('every document that is rendered fits the JSON Schema', () => {
  const mistakesOf = validatorOf(everything);
  const writer = avsc.Type.forSchema(EVERYTHING as avsc.Schema);
  const reader = everything.readerFor(everything.schemaJson);
  for (let round = 0; round < 300; round++) {
    const document: unknown = JSON.parse(String(reader.json(frame(1, writer.toBuffer(writer.random())))));
    expect({ document, mistakes: mistakesOf(document) }).toEqual({ document, mistakes: [] });
  }
});

const sample = () => JSON.parse(everything.sample()) as Record<string, unknown>;

test.each<[string, Record<string, unknown>]>([
  ['without a field that is always there', { flag: undefined }],
  ['with another version', { schema_version: 'v2.0' }],
  ['with a number as a text', { small: '1' }],
  ['with a section that is null', { section: null }],
  ['with a decimal that lacks a digit', { price: '1.2' }],
  ['with a mistake in a record inside a record', { tree: { note: 1 } }],
])('a document %s does not fit', (_, spoilt) => {
  const mistakesOf = validatorOf(everything);
  expect(mistakesOf(sample())).toEqual([]);
  expect(mistakesOf(JSON.parse(JSON.stringify({ ...sample(), ...spoilt })))).not.toEqual([]);
});

test('a field that a later version adds is allowed', () => {
  expect(validatorOf(everything)({ ...sample(), later: 1 })).toEqual([]);
});

test('what the Avro schema says of a field is said in the JSON Schema', () => {
  expect(everything.jsonSchema).toMatchObject({
    $id: 'urn:databridge:event:everything:v1.0',
    description: 'One field of each kind.',
    properties: { schema_version: { const: 'v1.0', description: 'Which version.' } },
  });
});

test.each(eventTypeNames())('the sample of %s fits its JSON Schema', (name) => {
  const type = describedEventType(name);
  expect(type && validatorOf(type)(JSON.parse(type.sample()))).toEqual([]);
});
