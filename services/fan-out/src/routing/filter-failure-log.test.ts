import type { Logger } from '@databridge/kernel/log';
import { describedEventType, type EventType } from '@databridge/schemas/event/event-types';
import { FilterFailureLog } from './filter-failure-log.ts';
import { Filters } from './filters.ts';

function setUp() {
  const lines: unknown[] = [];
  const log = { warn: (fields: object, message: string) => lines.push({ message, ...fields }) };
  return { lines, failures: new FilterFailureLog(log as unknown as Logger) };
}

const failure = (detail: string, isInvalid?: true) => ({
  ...{ customer: 'acme', detail, source: 'intake/0/1' },
  ...(isInvalid && { isInvalid }),
});

test('a stored filter that is not valid any more fails on every event, and is logged once', () => {
  const costly = `[${Array.from({ length: 180 }, (_, n) => n)}].exists(x, ${Array(12).fill('size(event.clientwords) < x').join(' || ')})`;
  const verdict = new Filters().of(costly, describedEventType('root-cause') as EventType).test({});
  expect(verdict).toMatchObject({
    kind: 'failed',
    isInvalid: true,
    detail: expect.stringMatching(/^filter .*in a loop/),
  });
  const { lines, failures } = setUp();
  for (const atMs of [0, 1, 1_000_000]) failures.note('root-cause', 'acme', [failure('filter a', true)], atMs);
  failures.note('root-cause', 'other', [failure('filter a', true)], 0);
  failures.note('root-cause', 'acme', [failure('filter b', true)], 0);
  expect(lines).toMatchObject([
    { message: 'stored filter invalid', customer: 'acme', detail: 'filter a' },
    { message: 'stored filter invalid', customer: 'other' },
    { message: 'stored filter invalid', customer: 'acme', detail: 'filter b' },
  ]);
});

test('a filter that fails on some events is logged once a minute', () => {
  const { lines, failures } = setUp();
  for (const atMs of [0, 10, 59_999, 60_000]) failures.note('root-cause', 'acme', [failure(`at ${atMs}`)], atMs);
  expect(lines).toMatchObject([
    { message: 'filter evaluation failed', customer: 'acme', detail: 'at 0', records: 1 },
    { message: 'filter evaluation failed', detail: 'at 60000' },
  ]);
});
