import { jsonShapeMistake, MAX_DEPTH } from './document-limits.ts';

const nested = (depth: number, open: string, close: string, inside = '1') =>
  open.repeat(depth) + inside + close.repeat(depth);

test.each([
  ['lists', '[', ']'],
  ['maps', '{"a":', '}'],
])('JSON %s may be nested so deep and no deeper', (_, open, close) => {
  expect(jsonShapeMistake(nested(MAX_DEPTH, open, close))).toBeUndefined();
  expect(jsonShapeMistake(nested(MAX_DEPTH + 1, open, close))).toMatch(/nested deeper than 64 levels/);
  expect(jsonShapeMistake(nested(500_000, open, close))).toMatch(/nested deeper/);
});

test('brackets and commas in a text are text', () => {
  expect(jsonShapeMistake(JSON.stringify({ a: '['.repeat(1_000), b: ',\\"'.repeat(30_000) }))).toBeUndefined();
  expect(jsonShapeMistake('"never ends [[[[[[')).toBeUndefined();
});

test('JSON may contain a limited number of values', () => {
  expect(jsonShapeMistake(JSON.stringify(Array.from({ length: 20_000 }, () => 1)))).toBeUndefined();
  expect(jsonShapeMistake(JSON.stringify(Array.from({ length: 20_001 }, () => 1)))).toMatch(/more than 20000 values/);
});
