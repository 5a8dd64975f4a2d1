import { readFileSync } from 'node:fs';
import { FLOORS, linesRun } from './coverage.ts';

test('a line with code has run if the innermost range around its beginning has', () => {
  const source = [
    '/** A comment. */',
    'export function f(x: number) {',
    '  if (x > 1) {',
    '    return 1;',
    '  }',
    '}',
    '',
  ].join('\n');
  const at = (text: string) => source.indexOf(text);
  const range = (from: string, to: number, count: number) => ({ startOffset: at(from), endOffset: to, count });
  const script = {
    url: '',
    functions: [
      { ranges: [range('/**', source.length, 1)] },
      { ranges: [range('export', source.length - 1, 3), range('return', at('return') + 9, 0)] },
    ],
  };
  expect(linesRun(source, script)).toEqual([undefined, true, true, false, undefined, undefined, undefined]);
  // Never loaded: nothing of it has run.
  expect(linesRun(source, undefined)).toEqual([undefined, false, false, false, undefined, undefined, undefined]);
});

test('CONTRIBUTING states the floors', () => {
  const text = readFileSync(new URL('../../CONTRIBUTING.md', import.meta.url), 'utf8');
  const stated = Object.entries(FLOORS).map(([name, percent]) => `\`${name}\` ${percent} %`);
  expect(stated.length).toBeGreaterThan(5);
  expect(text.replace(/\s+/g, ' ')).toContain(stated.join(', '));
});
