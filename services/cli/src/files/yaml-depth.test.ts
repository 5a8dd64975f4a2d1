import { MAX_YAML_DEPTH, tooDeepYamlAt } from './yaml-depth.ts';

const nested = (depth: number, open: string, close: string, inside = '1') =>
  open.repeat(depth) + inside + close.repeat(depth);

test.each([
  ['flow lists', (depth: number) => nested(depth, '[', ']')],
  ['flow maps', (depth: number) => nested(depth, '{a: ', '}')],
  ['lists on one line', (depth: number) => `${'- '.repeat(depth)}a`],
  [
    'maps by indentation',
    (depth: number) => Array.from({ length: depth }, (_, at) => `${' '.repeat(at)}a:`).join('\n'),
  ],
  ['explicit keys', (depth: number) => `${'? '.repeat(depth)}a`],
])('YAML %s may be nested so deep and no deeper, and the place is named', (_, text) => {
  expect(tooDeepYamlAt(text(MAX_YAML_DEPTH - 4))).toBeUndefined();
  expect(tooDeepYamlAt(text(MAX_YAML_DEPTH + 10))).toBeGreaterThan(0);
  expect(tooDeepYamlAt(text(2_000))).toBeLessThan(20_000);
});
