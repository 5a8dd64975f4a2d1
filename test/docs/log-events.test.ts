/** Every warning and error of the services names a registered code, every code is used, and docs/logs.md lists them. */
import { readdirSync, readFileSync } from 'node:fs';
import { LOG_EVENTS } from '@databridge/kernel/log-events';

const services = new URL('../../services/', import.meta.url);
const OURS = ['control-plane', 'delivery', 'fan-out', 'kernel'];

interface Call {
  readonly place: string;
  readonly text: string;
}

/** The calls of a logger that warn or worse, with their arguments. */
function calls(): Call[] {
  return OURS.flatMap((service) => {
    const folder = new URL(`${service}/src/`, services);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    return files
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .flatMap((file) => {
        const text = readFileSync(new URL(file, folder), 'utf8');
        const found = text.matchAll(/\b(?:log|logger)\s*(?:\.(?:warn|error|fatal)|\[level\])\(/gi);
        return [...found].map(({ 0: head, index }) => ({
          place: `${service}/src/${file}`,
          text: callAt(text, index + head.length - 1),
        }));
      });
  });
}

/** From that parenthesis to the one that closes it. */
function callAt(text: string, start: number): string {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if ('([{'.includes(text[at] ?? '')) depth++;
    else if (')]}'.includes(text[at] ?? '') && --depth === 0) return text.slice(start, at + 1);
  }
  return text.slice(start);
}

const codeOf = ({ text }: Call) => /\bevent: '(\w+)'/.exec(text)?.[1];

test('every warning and error names a registered code', () => {
  const without = calls().filter((call) => !Object.hasOwn(LOG_EVENTS, codeOf(call) ?? ''));
  expect(without).toEqual([]);
});

test('every registered code is used', () => {
  const used = new Set(calls().map(codeOf));
  expect(Object.keys(LOG_EVENTS).filter((code) => !used.has(code))).toEqual([]);
});

test('docs/logs.md lists each with its meaning: npm run logs', () => {
  const page = readFileSync(new URL('../../docs/logs.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map(([, code, meaning]) => [code, meaning]);
  expect(rows).toEqual(Object.entries(LOG_EVENTS));
});
