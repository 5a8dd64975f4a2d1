import fc from 'fast-check';
import { EventType, loadEventTypes } from '../../event/event-types.ts';
import { anyText } from '../../event/text-fixture.ts';
import { MAX_FILTER_CHARS } from '../size-limits.ts';
import { compileFilter, type EventFilter } from './event-filter.ts';

const [rootCause] = loadEventTypes('root-cause=unused');
if (!rootCause) throw new Error('no event type');
const { fields } = rootCause;

function filterOf(text: string, of = fields): EventFilter {
  const compiled = compileFilter(text, of);
  if (!compiled.ok) throw new Error(compiled.mistake);
  return compiled.filter;
}

const mistakeIn = (text: string) => {
  const compiled = compileFilter(text, fields);
  return compiled.ok ? undefined : compiled.mistake;
};

const head = { filename: 'f.wav', requestid: 'r', company: 'ACME', organisation: 'NA', folder: 'Support' };
const call = { ...head, processed: true, process_result: 'Complete' };
const call_intent = { classifier: 'intent', identified_intent: true, reason: 'moved', dimension_category_id: null };
const intent = { ...call, call_intent: { ...call_intent, category_name: 'support', sub_category: '' } };
const EVENT = { schema_version: 'v9', statusCode: 200, summary: call, clientwords: 'hello, my Name is', intent };
const reader = rootCause.readerFor(rootCause.schemaJson);
const decoded = reader.decoded(rootCause.encode(1, EVENT));

test.each<[string, boolean]>([
  ['event.intent.call_intent.category_name == "support"', true],
  ['event.intent.call_intent.category_name in ["sales", "billing"]', false],
  ['event.statusCode == 200 && event.statusCode < 201', true],
  ['event.clientwords.lowerAscii().contains("name")', true],
  ['event.summary.processed', true],
  ['!event.summary.processed', false],
  ['has(event.intent) && !has(event.callback)', true],
  ['has(event.intent.call_intent.dimension_category_id)', false],
  ['size(event.clientwords) > 100', false],
  // What the document shows, not what the writer wrote.
  ['event.schema_version == "v1.0"', true],
  // CEL's "or" needs only one side to be known.
  ['event.callback.call_callback.identified_callback || event.statusCode == 200', true],
])('%s', (text, expected) => {
  const kind = expected ? 'matches' : 'differs';
  const filter = filterOf(text);
  expect(filter.test(decoded)).toEqual({ kind });
  // The same of the document that the customer gets, which is what people try filters with.
  expect(filter.test(JSON.parse(String(reader.json(rootCause.encode(1, EVENT)))))).toEqual({ kind });
});

test('what the event lacks does not match, and is named', () => {
  const filter = filterOf('event.callback.call_callback.identified_callback == false');
  expect(filter.test(decoded)).toEqual({ kind: 'differs', lacks: 'callback' });
  expect(filterOf('!event.callback.processed').test(decoded)).toEqual({ kind: 'differs', lacks: 'callback' });
});

test('what nobody can say is a failure, not a no', () => {
  expect(filterOf('event.statusCode / (event.statusCode - 200) > 1').test(decoded)).toEqual({
    kind: 'failed',
    detail: 'division by zero',
  });
  expect(filterOf('event.statusCode == 200').test({ statusCode: '200' })).toMatchObject({ kind: 'failed' });
});

test.each([
  [
    'an unknown field',
    'event.sumary.company == "a"',
    'at character 7: the event has no "sumary" there; did you mean "summary"?',
  ],
  ['an unknown field in has()', 'true && has(event.sumary)', /the event has no "sumary" there; did you mean "summary"/],
  ['another variable', 'summary.company == "a"', /everything begins with "event\."/],
  ['types that do not go together', 'event.statusCode == "200"', 'at character 1: no such overload: int == string'],
  ['no answer', 'event.summary.company', 'must be true or false, and is a string'],
  ['no expression', 'event.', /^at character 7: /],
  ['a regular expression', 'event.clientwords.matches("(a+)+$")', /matches\(\) is not available/],
  ['text that grows', 'cel.bind(a, "x" + "x", a == "")', /bind\(\) is not available/],
  ['a search for what an event says', 'event.clientwords.contains(event.summary.folder)', /must be a literal/],
  ['a loop in a loop', '[1].exists(a, [1].exists(b, a == b))', /must not be used inside another loop/],
  ['a way around types', 'dyn(event).x == 1', /dyn\(\) is not available/],
  ['a computed name', 'event["sum" + "mary"].company == ""', /must be a literal/],
  ['too long', `event.clientwords == "${'x'.repeat(MAX_FILTER_CHARS)}"`, /longer than 2000/],
  ['too deep', `${'('.repeat(200)}true${')'.repeat(200)}`, /maxDepth/],
  ['too much', Array.from({ length: 200 }, () => 'true').join('&&'), /maxAstNodes/],
])('%s is a mistake', (_what, text, mistake) => {
  if (typeof mistake === 'string') expect(mistakeIn(text)).toBe(mistake);
  else expect(mistakeIn(text)).toMatch(mistake);
});

describe('what a filter may cost is bounded', () => {
  const numbers = Array.from({ length: 180 }, (_, n) => n).join(',');
  const often = (text: string) => Array.from({ length: 12 }, () => text).join(' || ');

  test.each([
    [`[${numbers}].exists(x, ${often('size(event.clientwords) < x')})`, /size\(\) can only be asked of the loop's "x"/],
    [`[${numbers}].all(x, event.clientwords.lowerAscii().contains("a"))`, /contains\(\) can only be asked/],
    [`[${numbers}].exists(x, ${often('event.clientwords == "a"')})`, /steps for each event, at most 5000/],
    [`([${numbers}] + [1]).exists(x, ${often('event.statusCode == x')})`, /steps for each event/],
    ['[1, 2].exists(x, event.clientwords + "a" == "b")', /"\+" must not be used in a loop/],
    ['event.clientwords.trim().trim().trim().trim().trim() == ""', /more than 4 functions/],
  ])('%s is a mistake', (text, mistake) => {
    expect(mistakeIn(text)).toMatch(mistake);
  });

  const large = new EventType(
    'large',
    'large',
    JSON.stringify({
      type: 'record',
      name: 'L',
      fields: [
        { name: 'list', type: { type: 'array', items: 'int' } },
        { name: 'tags', type: { type: 'array', items: 'string' } },
      ],
    }),
  );

  test.each([
    'event.list.all(x, x > -1)',
    'event.list == event.list',
    '7 in event.list || event.list.exists(x, x == 7)',
    // CEL's "or" passes over errors, and so over ours.
    'event.list.exists(x, x == 7) || event.tags == event.tags',
  ])('%s: an event for which it would do too much is let through, and counted', (text) => {
    const event = { list: Array.from({ length: 200_000 }, (_, n) => n), tags: [] };
    expect(filterOf(text, large.fields).test(event)).toEqual({
      kind: 'failed',
      detail: 'the filter would read too much of this event',
    });
    expect(filterOf(text, large.fields).test({ list: [7], tags: [] }).kind).toBe('matches');
  });

  test('a text that is read again and again is too much when it is long', () => {
    const filter = filterOf(often('event.clientwords.contains("q")'));
    expect(filter.test({ ...EVENT, clientwords: 'x'.repeat(900_000) })).toMatchObject({ kind: 'failed' });
    expect(filter.test({ ...EVENT, clientwords: 'x'.repeat(50_000) })).toEqual({ kind: 'differs' });
  });

  test('the cost of a filter is reported, also after an error', () => {
    const numbers = Array.from({ length: 150 }, (_, n) => n).join();
    const workOf = (text: string) => filterOf(text).measured(decoded).work;
    // 5 ns a unit: some microseconds, and some milliseconds.
    expect(workOf('event.intent.call_intent.category_name == "support" && event.statusCode == 200')).toBeLessThan(
      1_000,
    );
    for (const [a, b] of [
      ['event.callback.call_callback.reason == "a"', 'event.callback.call_callback.reason == "b"'],
      ['1 / (event.statusCode - 200) > x', '2 / (event.statusCode - 200) > x'],
    ]) {
      expect(workOf(`[${numbers}].exists(x, ${a} || ${b})`)).toBeGreaterThan(300_000);
    }
  });

  test('an error costs no stack, and others keep theirs', () => {
    const { stackTraceLimit } = Error;
    filterOf('event.callback.processed').test(decoded);
    expect(Error.stackTraceLimit).toBe(stackTraceLimit);
  });

  test('loops ask what belongs to their item', () => {
    const filter = filterOf('event.tags.exists(tag, tag.lowerAscii().contains("vip") && size(tag) > 3)', large.fields);
    expect(filter.test({ list: [], tags: ['a', 'VIP customer'] })).toEqual({ kind: 'matches' });
  });
});

describe('what works through a text costs as much as the text is long', () => {
  const long = 'x'.repeat(900_000);
  const verdict = (text: string, event: unknown, of = fields) => filterOf(text, of).test(event);

  test('functions on one another', () => {
    expect(verdict('event.clientwords.lowerAscii().contains("y")', { clientwords: long })).toEqual({ kind: 'differs' });
    expect(
      verdict('event.clientwords.lowerAscii().upperAscii().trim().contains("y")', { clientwords: long }),
    ).toMatchObject({ kind: 'failed', detail: expect.stringContaining('too much') });
  });

  test('functions of a loop, side by side', () => {
    const list = { name: 'words', type: { type: 'array', items: 'string' } };
    const type = new EventType('words', 'words', JSON.stringify({ type: 'record', name: 'Words', fields: [list] }));
    const ask = (times: number) => Array(times).fill('word.contains("y")').join(' || ');
    expect(verdict(`event.words.exists(word, ${ask(2)})`, { words: [long] }, type.fields)).toEqual({ kind: 'differs' });
    expect(verdict(`event.words.exists(word, ${ask(30)})`, { words: [long] }, type.fields)).toMatchObject({
      kind: 'failed',
      detail: expect.stringContaining('too much'),
    });
  });
});

test('a whole number with all its digits is a double where the schema says so', () => {
  const score = { name: 'score', type: 'double' };
  const type = new EventType('scored', 'scored', JSON.stringify({ type: 'record', name: 'Scored', fields: [score] }));
  expect(filterOf('event.score > 9.0e15', type.fields).test({ score: 9007199254740993n })).toEqual({ kind: 'matches' });
});

test('the size of a text is its characters, of a list its items', () => {
  const sized = (clientwords: string, expected: number) => {
    expect(
      filterOf(`size(event.clientwords) == ${expected} && event.clientwords.size() == ${expected}`).test({
        ...EVENT,
        clientwords,
      }),
    ).toEqual({ kind: 'matches' });
  };
  sized('abc', 3);
  sized('a😀é', 3);
  sized('size(', 5);
  expect(filterOf('event.clientwords == "size(x)"').test({ ...EVENT, clientwords: 'size(x)' })).toEqual({
    kind: 'matches',
  });
  expect(mistakeIn('size(event.statusCode) == 1')).toMatch(/size\(int\)/);
});

test('lists, maps and nested types of any schema can be read', () => {
  const schema = {
    type: 'record',
    name: 'Odd',
    fields: [
      { name: 'tags', type: { type: 'array', items: 'string' } },
      { name: 'counts', type: { type: 'map', values: 'long' } },
      { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B'] } },
      { name: 'score', type: 'double' },
      { name: 'raw', type: 'bytes' },
    ],
  };
  const odd = new EventType('odd', 'odd', JSON.stringify(schema));
  const event = { tags: ['a', 'b'], counts: { x: 3 }, kind: 'B', score: 0.5, raw: Buffer.from('z') };
  for (const text of [
    'event.tags.exists(tag, tag == "b")',
    'event.counts["x"] == 3 && event.tags[0] == "a"',
    'event.kind == "B" && event.score > 0.25',
    'event.raw == b"z"',
  ]) {
    expect(filterOf(text, odd.fields).test(event)).toEqual({ kind: 'matches' });
  }
  expect(filterOf('event.counts["y"] == 3', odd.fields).test(event)).toEqual({ kind: 'differs', lacks: 'y' });
  expect(filterOf('event.tags[7] == "a"', odd.fields).test(event)).toMatchObject({ kind: 'differs' });
});

test('any text is a filter or a mistake, and any event gets a verdict', () => {
  const words = [
    'event',
    '.summary',
    '.company',
    '.x',
    '==',
    '"a"',
    '&&',
    '(',
    ')',
    '!',
    '1',
    'has(',
    '[',
    ']',
    'in',
    '?',
  ];
  const text = fc.oneof(
    anyText({ maxLength: 40 }),
    fc.array(fc.constantFrom(...words)).map((all) => all.join(' ')),
  );
  fc.assert(
    fc.property(text, fc.anything(), (given, event) => {
      const compiled = compileFilter(given, fields);
      if (compiled.ok) expect(['matches', 'differs', 'failed']).toContain(compiled.filter.test(event).kind);
      else expect(compiled.mistake).not.toBe('');
    }),
    { numRuns: 150 },
  );
});
