import type { Subscription } from '@databridge/schemas/subscription/subscription';
import { invalidFilter } from './invalid-filter.ts';

const subscription = (filter?: string) =>
  ({
    customer: 'acme',
    eventTypes: ['root-cause'],
    ...(filter !== undefined && { filter }),
  }) as unknown as Subscription;

test.each([
  [undefined, undefined],
  ['event.statusCode == 200', undefined],
  ['event.sumary.company == "ACME"', /no "sumary" there/],
  ['[1, 2].exists(x, size(event.clientwords) < x)', /in a loop/],
])('%s: %s', (filter, expected) => {
  const stored = subscription(filter);
  for (const found of [invalidFilter(stored), invalidFilter(stored)]) {
    if (expected === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(expected);
  }
});
