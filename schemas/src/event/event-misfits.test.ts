import { readFileSync } from 'node:fs';
import { loadEventTypes } from './event-types.ts';

const [rootCause] = loadEventTypes('root-cause=root-cause.events');
const example = JSON.parse(
  readFileSync(new URL('../../../docs/examples/produce/event.json', import.meta.url), 'utf8'),
) as Record<string, unknown> & { summary: Record<string, unknown> };

const misfitsOf = (event: unknown) =>
  rootCause?.misfitsOf(event).map(({ path, message }) => `${path.join('.')} ${message}`.trim());

test('an event that fits has none, with optional sections left out too', () => {
  const { intent: _, callback: __, ...rest } = example;
  expect(misfitsOf(example)).toEqual([]);
  expect(misfitsOf(rest)).toEqual([]);
});

test('every mistake is named at its place, inside of optional sections too', () => {
  const { company: _, ...summary } = example.summary;
  expect(misfitsOf({ ...example, statusCode: 'x', extra: 1, summary: { ...summary, folder: 3, foo: 1 } })).toEqual([
    'statusCode must be int, not "x"',
    'summary.company is missing',
    'summary.folder must be string, not 3',
    'summary.foo is not a field of the schema',
    'extra is not a field of the schema',
  ]);
});

test.each([[5], [null], [[]], ['text']])('%p is no event', (value) => {
  expect(misfitsOf(value)).toEqual([expect.stringContaining('must be an object')]);
});
