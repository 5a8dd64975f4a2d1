/** What producers write with schemas of their own is read as our schema has it, or refused in words; never at any cost. */
import avsc from 'avsc';
import fc from 'fast-check';
import { IncompatibleSchemaError, MalformedEventError } from '../../errors.ts';
import { MAX_DEPTH } from './avro-input.ts';
import { documentOf, eventTypeOf, field, long, one, read, record, written } from './resolution-fixture.ts';

describe('schema resolution', () => {
  const kinds = (namespace: string) =>
    record(
      'Event',
      [
        field('inner', record('Inner', [field('x', 'int')])),
        field('kind', { type: 'enum', name: 'Kind', symbols: ['A', 'B'] }),
        field('digest', { type: 'fixed', name: 'Digest', size: 2 }),
        field('list', { type: 'array', items: 'Inner' }),
        field('maybe', ['null', 'Inner'], { default: null }),
      ],
      { namespace },
    );
  const value = { inner: { x: 1 }, kind: 'B', digest: Buffer.from('hi'), list: [{ x: 2 }], maybe: { x: 3 } };
  const shown = { inner: { x: 1 }, kind: 'B', digest: 'aGk=', list: [{ x: 2 }], maybe: { x: 3 } };

  test.each([
    ['', 'com.example'],
    ['com.example', ''],
    ['a', 'b'],
    ['a', 'a'],
  ])('matches types by their unqualified names: ours in "%s", theirs in "%s"', (ours, theirs) => {
    const schema = kinds(theirs);
    expect(read(kinds(ours), schema, written(schema, value))).toEqual(shown);
  });

  test('a namespace of null is none, as some generators write it', () => {
    const inner = { ...record('Inner', [field('x', 'int')]), namespace: null };
    const theirs = { ...record('E', [field('a', inner), field('b', 'Inner')]), namespace: 'com.example' };
    expect(read(theirs, theirs, Buffer.from([2, 4]))).toEqual({ a: { x: 1 }, b: { x: 2 } });
  });

  test('decimals match by scale and precision, in bytes and in fixed', () => {
    const decimal = { logicalType: 'decimal', precision: 4, scale: 2 };
    const bytes = one({ type: 'bytes', ...decimal });
    const fixed = (size: number) => one({ type: 'fixed', name: `F${size}`, size, ...decimal });
    const long = written(one('bytes'), { a: Buffer.from([1, 2]) });
    expect(read(bytes, fixed(2), Buffer.from([1, 2]))).toEqual({ a: '2.58' });
    expect(read(fixed(3), bytes, long)).toEqual({ a: '2.58' });
    expect(read(fixed(3), fixed(2), Buffer.from([1, 2]))).toEqual({ a: '2.58' });
    const other = one({ type: 'bytes', ...decimal, scale: 1 });
    expect(() => read(other, fixed(2), Buffer.from([1, 2]))).toThrow(IncompatibleSchemaError);
  });

  test('a name that is none of ours, nor an alias, is incompatible; an alias of any namespace is read', () => {
    const theirs = record('Other', [field('x', 'int')], { namespace: 'com.example' });
    const ours = record('Mine', [field('x', 'int')]);
    expect(() => read(ours, theirs, written(theirs, { x: 1 }))).toThrow(IncompatibleSchemaError);
    expect(read({ ...ours, aliases: ['old.Other'] }, theirs, written(theirs, { x: 1 }))).toEqual({ x: 1 });
  });

  test.each<[string, unknown]>([
    ['an empty text for ["null", "string"]', field('n', ['null', 'string'], { default: '' })],
    ['a text for an int', field('n', 'int', { default: 'many' })],
    ['a symbol that is none', field('n', { type: 'enum', name: 'N', symbols: ['A'] }, { default: 'Z' })],
  ])('a writer’s default is not needed: %s', (_what, added) => {
    const theirs = record('E', [added, field('a', 'string')]);
    const bare = record('E', [{ ...(added as object), default: undefined }, field('a', 'string')]);
    const n = (added as { name: string; type: unknown }).type;
    const sample = Array.isArray(n) ? null : n === 'int' ? 3 : 'A';
    const bytes = written(JSON.parse(JSON.stringify(bare)), { n: sample, a: 'x' });
    expect(read(one('string'), theirs, bytes)).toEqual({ a: 'x' });
  });

  test.each<[string, unknown, string, unknown]>([
    ['int', 5, 'long', 5],
    ['int', 5, 'float', 5],
    ['int', 5, 'double', 5],
    ['long', 5, 'float', 5],
    ['long', 5, 'double', 5],
    ['float', 0.5, 'double', 0.5],
    ['string', 'hi', 'bytes', 'aGk='],
    ['bytes', Buffer.from('hi'), 'string', 'hi'],
  ])('%s %s is read as %s', (from, value, to, expected) => {
    for (const wrap of [
      (t: unknown) => t,
      (t: unknown) => ['null', t],
      (t: unknown) => ({ type: 'array', items: t }),
    ]) {
      const wrapped = Array.isArray(wrap('x')) || wrap('x') === 'x' ? value : [value];
      const theirs = one(wrap(from));
      const shown = wrapped === value ? expected : [expected];
      expect(read(one(wrap(to)), theirs, written(theirs, { a: wrapped }))).toEqual({ a: shown });
    }
  });

  test.each([
    ['string', 'int'],
    ['long', 'int'],
    ['double', 'float'],
    [
      { type: 'map', values: 'int' },
      { type: 'array', items: 'int' },
    ],
    [
      { type: 'fixed', name: 'F', size: 2 },
      { type: 'fixed', name: 'F', size: 3 },
    ],
    [
      { type: 'long', logicalType: 'timestamp-micros' },
      { type: 'long', logicalType: 'timestamp-millis' },
    ],
    [
      { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 3 },
      { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 },
    ],
    ['string', { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }],
  ])('%j is not read as %j', (from, to) => {
    expect(() => eventTypeOf(one(to)).readerFor(JSON.stringify(one(from)))).toThrow(IncompatibleSchemaError);
  });

  test('a symbol that we lack becomes the enum’s default, or is malformed without one', () => {
    const of = (symbols: string[], more = {}) => one({ type: 'enum', name: 'K', symbols, ...more });
    const bytes = written(of(['A', 'NEW']), { a: 'NEW' });
    expect(read(of(['OTHER', 'A'], { default: 'OTHER' }), of(['A', 'NEW']), bytes)).toEqual({ a: 'OTHER' });
    expect(() => read(of(['A']), of(['A', 'NEW']), bytes)).toThrow(MalformedEventError);
  });

  test('of a writer’s union, only the branch that an event uses must fit', () => {
    const theirs = one(['null', 'string', 'int']);
    expect(read(one('string'), theirs, Buffer.from([2, 2, 0x78]))).toEqual({ a: 'x' });
    expect(() => read(one('string'), theirs, Buffer.from([4, 2]))).toThrow(/int can't be read as a string/);
    expect(() => read(one('string'), theirs, Buffer.from([6, 2]))).toThrow(MalformedEventError);
  });

  test('a field that the writer lacks gets our default, whatever its type; without one it is incompatible', () => {
    const inner = record('I', [field('x', 'int', { default: 4 }), field('y', 'string')]);
    const ours = record('E', [
      field('m', { type: 'map', values: 'long' }, { default: { __proto__x: 1 } }),
      field('r', inner, { default: { y: 'z' } }),
      field('b', 'bytes', { default: '\u00ff' }),
      field('l', { type: 'array', items: 'double' }, { default: [1.5] }),
    ]);
    expect(read(ours, record('E', []), Buffer.alloc(0))).toEqual({
      ...{ m: { __proto__x: 1 }, r: { x: 4, y: 'z' }, b: '/w==', l: [1.5] },
    });
    expect(() => read(one('int'), record('E', []), Buffer.alloc(0))).toThrow(/"a" of E is not written/);
    expect(() => eventTypeOf(one('int', { default: 'x' }))).toThrow(/default "x" is no int/);
    expect(() => eventTypeOf(one('int', { default: 2 ** 31 }))).toThrow(/default 2147483648 is no int/);
    const kinds = { type: 'enum', name: 'K', symbols: ['A'], default: 'Z' };
    expect(() => eventTypeOf(one({ type: 'array', items: kinds }))).toThrow(/default "Z" is no enum K/);
  });
});

describe('values', () => {
  test.each([
    0n,
    -1n,
    2n ** 31n,
    2n ** 53n - 1n,
    2n ** 53n,
    9_007_199_254_740_993n,
    -(2n ** 53n) - 1n,
    2n ** 63n - 1n,
    -(2n ** 63n),
  ])('a long of %s keeps its digits, wherever it stands', (value) => {
    const nested = record('E', [
      field('a', 'long'),
      field('l', { type: 'array', items: 'long' }),
      field('m', { type: 'map', values: 'long' }),
      field('u', ['null', 'long']),
    ]);
    const bytes = long(value);
    const payload = Buffer.concat([
      bytes,
      Buffer.from([2]),
      bytes,
      Buffer.from([0, 2, 2, 0x6b]),
      bytes,
      Buffer.from([0, 2]),
      bytes,
    ]);
    expect(documentOf(nested, nested, payload)).toBe(`{"a":${value},"l":[${value}],"m":{"k":${value}},"u":${value}}`);
  });

  test.each([
    ['-0', '-0'],
    ['NaN', '"NaN"'],
    ['Infinity', '"Infinity"'],
    ['-Infinity', '"-Infinity"'],
    ['0.1', '0.1'],
    ['1e300', '1e+300'],
  ])('a double %s is shown as %s', (text, shown) => {
    const payload = Buffer.alloc(8);
    payload.writeDoubleLE(Number(text));
    expect(documentOf(one('double'), one('double'), payload)).toBe(`{"a":${shown}}`);
  });

  test('a float is shown by the shortest decimal that says it', () => {
    const float = (value: number) => {
      const payload = Buffer.alloc(4);
      payload.writeFloatLE(value);
      return documentOf(one('float'), one('float'), payload);
    };
    expect(float(3.4)).toBe('{"a":3.4}');
    expect(float(Number.NaN)).toBe('{"a":"NaN"}');
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Math.fround(JSON.parse(float(value)).a)).toBe(value === 0 ? 0 : value);
      }),
    );
  });

  test('any name of a map’s key or a field is kept', () => {
    const schema = record('E', [
      field('__proto__', 'int'),
      field('constructor', 'int'),
      field('m', { type: 'map', values: 'int' }),
    ]);
    const key = (name: string) => Buffer.concat([long(BigInt(name.length)), Buffer.from(name)]);
    const payload = Buffer.concat([
      ...[Buffer.from([2, 4, 4]), key('__proto__'), Buffer.from([6]), key('toString'), Buffer.from([8, 0])],
    ]);
    const json = documentOf(schema, schema, payload);
    expect(json).toBe('{"__proto__":1,"constructor":2,"m":{"__proto__":3,"toString":4}}');
  });

  test.each<[unknown, Buffer, string]>([
    [{ type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }, Buffer.from([4, 4, 0xe2]), '12.50'],
    [{ type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }, Buffer.from([2, 0xff]), '-0.01'],
    [{ type: 'bytes', logicalType: 'decimal', precision: 9 }, Buffer.from([0]), '0'],
    [
      { type: 'fixed', name: 'D', size: 4, logicalType: 'decimal', precision: 9, scale: 3 },
      Buffer.from([0xff, 0xff, 0xfb, 0x1e]),
      '-1.250',
    ],
    [{ type: 'int', logicalType: 'date' }, long(20_454n), '2026-01-01'],
    [{ type: 'int', logicalType: 'date' }, long(-719_529n), '-000001-12-31'],
    [{ type: 'int', logicalType: 'time-millis' }, long(45_296_789n), '12:34:56.789'],
    [{ type: 'long', logicalType: 'time-micros' }, long(45_296_789_012n), '12:34:56.789012'],
    [{ type: 'long', logicalType: 'timestamp-millis' }, long(1_767_225_600_001n), '2026-01-01T00:00:00.001Z'],
    [{ type: 'long', logicalType: 'timestamp-millis' }, long(-1n), '1969-12-31T23:59:59.999Z'],
    [{ type: 'long', logicalType: 'timestamp-micros' }, long(1_767_225_600_000_001n), '2026-01-01T00:00:00.000001Z'],
    [
      { type: 'long', logicalType: 'timestamp-nanos' },
      long(1_767_225_600_000_000_001n),
      '2026-01-01T00:00:00.000000001Z',
    ],
    [{ type: 'long', logicalType: 'timestamp-micros' }, long(2n ** 63n - 1n), '+294247-01-10T04:00:54.775807Z'],
    [{ type: 'long', logicalType: 'local-timestamp-millis' }, long(0n), '1970-01-01T00:00:00.000'],
    [{ type: 'long', logicalType: 'local-timestamp-nanos' }, long(1n), '1970-01-01T00:00:00.000000001'],
    [{ type: 'bytes', logicalType: 'big-decimal' }, Buffer.from([8, 4, 4, 0xe2, 4]), '12.50'],
    [{ type: 'bytes', logicalType: 'big-decimal' }, Buffer.from([6, 2, 0xff, 6]), '-0.001'],
    [{ type: 'bytes', logicalType: 'big-decimal' }, Buffer.from([6, 2, 7, 5]), '7000'],
    [{ type: 'bytes', logicalType: 'big-decimal' }, Buffer.from([4, 0, 0]), '0'],
    [{ type: 'string', logicalType: 'uuid' }, Buffer.from([4, 0x61, 0x62]), 'ab'],
    [
      { type: 'fixed', name: 'U', size: 16, logicalType: 'uuid' },
      Buffer.from('00112233445566778899aabbccddeeff', 'hex'),
      '00112233-4455-6677-8899-aabbccddeeff',
    ],
    [
      { type: 'fixed', name: 'P', size: 12, logicalType: 'duration' },
      Buffer.from('010000000200000003000000', 'hex'),
      'P1M2DT0.003S',
    ],
  ])('%j is shown as a text', (type, payload, shown) => {
    expect(read(one(type), one(type), payload)).toEqual({ a: shown });
    // Also inside a list, and where it may be null.
    const listed = one({ type: 'array', items: type });
    expect(read(listed, listed, Buffer.concat([Buffer.from([2]), payload, Buffer.from([0])]))).toEqual({ a: [shown] });
    const optional = one(['null', type]);
    expect(read(optional, optional, Buffer.concat([Buffer.from([2]), payload]))).toEqual({ a: shown });
  });

  test('dates are those of the calendar', () => {
    fc.assert(
      fc.property(fc.integer({ min: -719_528, max: 2_932_896 }), (day) => {
        const type = one({ type: 'int', logicalType: 'date' });
        expect(read(type, type, long(BigInt(day)))).toEqual({
          a: new Date(day * 86_400_000).toISOString().slice(0, 10),
        });
      }),
    );
  });

  test.each([
    { type: 'bytes', logicalType: 'decimal' },
    { type: 'bytes', logicalType: 'decimal', precision: 2, scale: 3 },
    { type: 'bytes', logicalType: 'of our own' },
  ])('a logical type that is not valid is ignored: %j', (type) => {
    expect(read(one(type), one(type), Buffer.from([2, 1]))).toEqual({ a: 'AQ==' });
  });

  test('each of our schemas is read as avsc reads it', () => {
    const schema = record('E', [
      field('i', 'int'),
      field('l', { type: 'array', items: ['null', 'string'] }),
      field('m', { type: 'map', values: record('V', [field('d', 'double'), field('b', 'boolean')]) }),
      field('s', ['null', record('S', [field('k', { type: 'enum', name: 'K', symbols: ['A', 'B'] })])]),
    ]);
    const type = avsc.Type.forSchema(schema as avsc.Schema);
    for (let n = 0; n < 100; n++) {
      const value = type.random() as unknown as Record<string, unknown>;
      const { s, ...rest } = JSON.parse(JSON.stringify(value));
      expect(read(schema, schema, type.toBuffer(value))).toEqual(s === null ? rest : { ...rest, s });
    }
  });
});

describe('recursive types', () => {
  const tree = record('Tree', [field('name', 'string'), field('children', { type: 'array', items: 'Tree' })]);
  const deep = (levels: number): Buffer =>
    levels === 0
      ? Buffer.from([2, 0x6c, 0])
      : Buffer.concat([Buffer.from([2, 0x6e, 2]), deep(levels - 1), Buffer.from([0])]);

  test('with an infinitely nested default are refused with a message', () => {
    const endless = record('E', [field('next', 'E', { default: {} })]);
    expect(() => eventTypeOf(endless)).toThrow(/the default \{\} of a record E has no end/);
    const through = record('E', [
      field('list', { type: 'array', items: 'E' }, { default: [{}] }),
      field('map', { type: 'map', values: 'E' }, { default: {} }),
    ]);
    expect(() => eventTypeOf(through)).toThrow(/has no end/);
    const ending = record('E', [field('next', ['null', 'E'], { default: null })]);
    expect(read(ending, record('E', []), Buffer.alloc(0))).toEqual({});
  });

  test('are read', () => {
    const value = { name: 'a', children: [{ name: 'b', children: [] }] };
    expect(read(tree, tree, written(tree, value))).toEqual(value);
    expect(eventTypeOf(tree).sample()).toBe('{"name":"sample name","children":[]}');
  });

  test('by way of unions, maps and each other, too, also where our schema skips them', () => {
    const a = record('A', [
      field('b', ['null', record('B', [field('as', { type: 'map', values: 'A' })])], { default: null }),
    ]);
    const value = { b: { as: { x: { b: null } } } };
    expect(read(a, a, written(a, value))).toEqual({ b: { as: { x: {} } } });
    const theirs = record('E', [field('tree', tree), field('a', 'int')]);
    expect(read(one('int'), theirs, Buffer.concat([deep(3), Buffer.from([2])]))).toEqual({ a: 1 });
  });

  test('deeper than the bound are malformed, and so is a record that can’t end', () => {
    expect(() => read(tree, tree, deep(MAX_DEPTH))).toThrow(/deeper than 64 levels/);
    const endless = record('A', [field('a', 'A')]);
    expect(() => read(record('A', []), endless, Buffer.alloc(10))).toThrow(MalformedEventError);
    expect(() =>
      read(record('A', [], { aliases: ['E'] }), record('E', [field('x', endless)]), Buffer.alloc(10)),
    ).toThrow(MalformedEventError);
  });
});
