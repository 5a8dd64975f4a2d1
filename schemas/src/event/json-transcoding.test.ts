/** Transcoding writes what decoding and rendering would, byte for byte, whatever the text and however the schemas differ. */
import avsc from 'avsc';
import fc from 'fast-check';
import { AvroInput } from './avro/avro-input.ts';
import { resolver, resolving } from './avro/avro-resolution.ts';
import { parseSchema, type RecordType } from './avro/avro-schema.ts';
import { JsonOutput } from './json-output.ts';
import { jsonRenderer, leftOutOf } from './json-rendering.ts';
import { transcoder } from './json-transcoding.ts';
import { anyText } from './text-fixture.ts';

const CALL = { type: 'record', name: 'Call', fields: [{ name: 'note', type: ['null', 'string'], default: null }] };
const FIELDS = [
  { name: 'version', type: 'string', constant: 'v1.0', default: '' },
  { name: 'text', type: ['null', 'string'], default: null },
  { name: 'count', type: 'int' },
  { name: 'total', type: 'long' },
  { name: 'done', type: 'boolean' },
  { name: 'call', type: ['null', CALL], default: null },
  { name: 'last', type: ['Call', 'null'] },
  { name: 'calls', type: { type: 'array', items: 'Call' } },
  { name: 'ratio', type: ['null', 'double'], default: null },
  { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
];
const schemaOf = (fields: readonly object[]) => ({ type: 'record', name: 'Event', fields });
const recordOf = (schema: object) => parseSchema(JSON.stringify(schema)) as RecordType;
const READER = recordOf(schemaOf(FIELDS));

/** Both ways of making the document, byte for byte: a text would hide what is no UTF-8. */
function documents(payload: Buffer, writer: RecordType, wanted?: readonly string[]) {
  const run = transcoder(writer, READER, resolving(), leftOutOf(READER, wanted));
  const output = new JsonOutput();
  const transcode = () => {
    output.reset();
    const input = new AvroInput(payload);
    run(input, output);
    input.end();
    return output.toBuffer().toString('latin1');
  };
  const decode = () => {
    const input = new AvroInput(payload);
    const value = resolver(writer, READER)(input);
    input.end();
    return Buffer.from(jsonRenderer(READER, wanted)(value)).toString('latin1');
  };
  return { transcode, decode };
}

const text = fc.oneof(
  anyText({ maxLength: 200 }),
  fc.constantFrom('"', '\\', '\n\r\t\b\f', '\u0000\u001f\u007f', 'Grüße 東京 \u2028'),
);
const call = fc.record({ note: fc.option(text) });
const event = fc.record({
  version: text,
  text: fc.option(text),
  count: fc.integer(),
  total: fc.integer({ min: -(2 ** 52), max: 2 ** 52 }),
  done: fc.boolean(),
  call: fc.option(call),
  last: fc.option(call),
  calls: fc.array(call, { maxLength: 4 }),
  ratio: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
  at: fc.integer({ min: 0 }),
  more: text,
});

describe.each([
  ['the same schema', FIELDS],
  ['a writer with a field more', [...FIELDS.slice(0, 3), { name: 'more', type: 'string' }, ...FIELDS.slice(3)]],
  [
    'a writer with its fields in another order',
    [...FIELDS.slice(0, 2), ...FIELDS.slice(2, 5).reverse(), ...FIELDS.slice(5)],
  ],
  ['a writer without an optional field', FIELDS.filter(({ name }) => name !== 'text')],
] as const)('%s', (_what, fields) => {
  const schema = schemaOf(fields);
  const encoder = avsc.Type.forSchema(schema as avsc.Schema);
  const writer = recordOf(schema);

  test('the documents are the same, of all sections and of some', () => {
    fc.assert(
      fc.property(event, fc.option(fc.subarray(['text', 'call', 'last', 'ratio'])), (given, wanted) => {
        const { transcode, decode } = documents(encoder.toBuffer(given), writer, wanted ?? undefined);
        expect(transcode()).toBe(decode());
      }),
    );
  });

  test('damaged data are refused by both or by neither', () => {
    const tried = (make: () => string) => {
      try {
        return make();
      } catch (error) {
        return `refused: ${(error as Error).constructor.name}`;
      }
    };
    fc.assert(
      fc.property(event, fc.nat(), fc.nat(255), (given, at, byte) => {
        const payload = encoder.toBuffer(given);
        payload[at % payload.length] = byte;
        const { transcode, decode } = documents(payload, writer);
        expect(tried(transcode)).toBe(tried(decode));
      }),
    );
  });
});
