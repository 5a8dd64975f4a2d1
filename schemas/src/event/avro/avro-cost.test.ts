/** What an event and its writer's schema may cost is bounded before it is spent. */
import { IncompatibleSchemaError, MalformedEventError } from '../../errors.ts';
import { frame } from '../confluent-frame.ts';
import { MAX_VALUES } from './avro-input.ts';
import { MAX_SCHEMA_CHARS, MAX_UNION_BRANCHES, parseSchema } from './avro-schema.ts';
import { eventTypeOf, field, ID, long, one, read, record } from './resolution-fixture.ts';

describe('what an event may cost is bounded before it is spent', () => {
  const list = (items: unknown) => one({ type: 'array', items });
  const NOTHING = record('Nothing', []);

  test.each<[string, unknown, Buffer]>([
    ['an array of 2^40 nulls', list('null'), Buffer.concat([long(2n ** 40n), Buffer.from([0])])],
    ['an array of 2^62 nulls', list('null'), Buffer.concat([long(2n ** 62n), Buffer.from([0])])],
    [
      'a block of 2^40 nulls that says its size',
      list('null'),
      Buffer.concat([long(-(2n ** 40n)), Buffer.from([0, 0])]),
    ],
    ['the least block count', list('null'), Buffer.concat([long(-(2n ** 63n)), Buffer.from([0, 0])])],
    ['many records without fields', list(NOTHING), Buffer.concat([long(BigInt(MAX_VALUES) + 1n), Buffer.from([0])])],
    [
      'many empty fixed',
      list({ type: 'fixed', name: 'F', size: 0 }),
      Buffer.concat([long(10n ** 9n), Buffer.from([0])]),
    ],
    ['more items than bytes', list('int'), Buffer.concat([long(10_000n), Buffer.alloc(100)])],
    [
      'many blocks of nulls',
      list('null'),
      Buffer.concat([...Array.from({ length: 3 }, () => long(100_000n)), Buffer.from([0])]),
    ],
    ['a text longer than the event', one('string'), Buffer.concat([long(2n ** 40n), Buffer.from('x')])],
    ['a text of negative length', one('string'), long(-1n)],
    ['a fixed longer than the event', one({ type: 'fixed', name: 'F', size: 2 ** 40 }), Buffer.alloc(10)],
    ['a varint without end', one('long'), Buffer.alloc(1_000, 0xff)],
    ['a number of more than 64 bits', one('long'), Buffer.from([...Buffer.alloc(9, 0xff), 0x7f])],
    ['an int of more than 32 bits', one('int'), long(2n ** 31n)],
    ['a map of 2^40 entries', one({ type: 'map', values: 'null' }), long(2n ** 40n)],
    ['a block that says another size', list('int'), Buffer.from([1, 4, 2, 0])],
    ['a block whose size is negative', list('int'), Buffer.from([1, 1, 2, 0])],
    ['a big-decimal that is none', one({ type: 'bytes', logicalType: 'big-decimal' }), Buffer.from([2, 4])],
    [
      'a big-decimal of a million digits',
      one({ type: 'bytes', logicalType: 'big-decimal' }),
      Buffer.from([10, 2, 7, ...long(1_000_000n)]),
    ],
    [
      'a decimal of 100,000 bytes',
      one({ type: 'bytes', logicalType: 'decimal', precision: 9 }),
      Buffer.concat([long(100_000n), Buffer.alloc(100_000, 1)]),
    ],
  ])('%s', (_what, schema, payload) => {
    const reader = eventTypeOf(schema).readerFor(JSON.stringify(schema));
    expect(() => reader.json(frame(ID, payload))).toThrow(MalformedEventError);
    // Also where only the routing is read, so that it is quarantined, and becomes nobody's dead letter.
    expect(() => reader.routing(frame(ID, payload))).toThrow(MalformedEventError);
    // And where our schema lacks the field.
    const skipping = eventTypeOf(record('E', [])).readerFor(JSON.stringify(schema));
    if (!/decimal/.test(_what)) expect(() => skipping.routing(frame(ID, payload))).toThrow(MalformedEventError);
  });

  test('small records that our schema makes large', () => {
    const ours = list(
      record(
        'Nothing',
        Array.from({ length: 50 }, (_, n) => field(`f${n}`, 'string', { default: 'x' })),
      ),
    );
    const payload = Buffer.concat([long(100_000n), Buffer.from([0])]);
    expect(() => read(ours, list(NOTHING), payload)).toThrow(/more than 250000 values/);
  });

  test('arrays in blocks that say their size are read', () => {
    expect(read(list('int'), list('int'), Buffer.from([1, 2, 2, 3, 4, 4, 6, 0]))).toEqual({ a: [1, 2, 3] });
  });
});

describe('what a writer’s schema may cost is bounded', () => {
  const records = (count: number) => Array.from({ length: count }, (_, n) => record(`R${n}`, [field('x', 'int')]));
  const nested = (levels: number): unknown => (levels === 0 ? 'int' : { type: 'array', items: nested(levels - 1) });

  test.each<[string, unknown, RegExp]>([
    ['a union of 2,000 records', one(['null', ...records(2_000)]), /2001 branches/],
    [
      'many fields',
      record(
        'E',
        Array.from({ length: 6_000 }, (_, n) => field(`f${n}`, 'int')),
      ),
      /10000 types and fields/,
    ],
    ['many levels', one(nested(1_000)), /deeper than 64/],
    ['a long text', one('int', { doc: 'x'.repeat(MAX_SCHEMA_CHARS) }), /characters/],
    ['an unknown name', one('Nobody'), /"Nobody"/],
    ['a union in a union', one([['null', 'int'], 'string']), /inside a union/],
    ['no schema', 7, /7 is no schema/],
  ])('%s', (_what, schema, words) => {
    const ours = eventTypeOf(one('int'));
    expect(() => ours.readerFor(JSON.stringify(schema))).toThrow(IncompatibleSchemaError);
    expect(() => ours.readerFor(JSON.stringify(schema))).toThrow(words);
  });

  test('unions of records that lead to each other are resolved in bounded steps', () => {
    const names = Array.from({ length: MAX_UNION_BRANCHES - 1 }, (_, n) => `R${n}`);
    const [first, ...rest] = names;
    const all = ['null', ...names];
    const defined = [
      record(first as string, [field('x', 'int')]),
      ...rest.map((name) => record(name, [field('x', 'int')])),
    ];
    const theirs = record('E', [
      field('all', ['null', ...defined]),
      ...Array.from({ length: 50 }, (_, n) => field(`f${n}`, { type: 'array', items: all })),
    ]);
    expect(parseSchema(JSON.stringify(theirs)).kind).toBe('record');
    const ours = record('E', []);
    expect(() => eventTypeOf(ours).readerFor(JSON.stringify(theirs))).not.toThrow(TypeError);
  });
});
