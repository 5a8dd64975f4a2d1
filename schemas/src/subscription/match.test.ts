import fc from 'fast-check';
import { matches, SubscriptionIndex } from './match.ts';
import type { Interest, Match, Routing } from './routing.ts';

interface Subscribed extends Interest {
  readonly customer: string;
  readonly state: 'active' | 'paused';
}

function subscription(customer: string, match: Match, eventTypes = ['root-cause']): Subscribed {
  return { customer, eventTypes, match, state: 'active' };
}

const EVENT: Routing = { company: 'ACME', organisation: 'NA', folder: 'Support' };

test.each<[string, Match, Routing, boolean]>([
  ['no filter matches all', {}, EVENT, true],
  ['no filter matches an event that says nothing', {}, {}, true],
  ['one of several values', { company: ['Other', 'ACME'] }, EVENT, true],
  ['another value', { company: ['Other'] }, EVENT, false],
  ['case matters', { company: ['acme'] }, EVENT, false],
  ['every field must match', { company: ['ACME'], folder: ['Sales'] }, EVENT, false],
  ['all fields match', { company: ['ACME'], organisation: ['NA'], folder: ['Support'] }, EVENT, true],
  ['a field that the event lacks', { folder: ['Support'] }, { company: 'ACME' }, false],
])('%s', (_what, match, routing, expected) => {
  expect(matches(subscription('a', match), 'root-cause', routing)).toBe(expected);
});

test('a subscription gets the event types that it names, paused or not', () => {
  const paused: Subscribed = { ...subscription('a', {}, ['root-cause', 'other']), state: 'paused' };
  expect(matches(paused, 'other', EVENT)).toBe(true);
  expect(matches(paused, 'third', EVENT)).toBe(false);
});

describe('the index', () => {
  const word = fc.constantFrom('a', 'b', 'ab', ',', '1,1:', '');
  const routing = fc.record({ company: word, organisation: word, folder: word }, { requiredKeys: [] });
  const wanted = fc.array(word, { minLength: 1 });
  const match = fc.record({ company: wanted, organisation: wanted, folder: wanted }, { requiredKeys: [] });
  const change = fc.record({ customer: fc.constantFrom('x', 'y', 'z'), match: fc.option(match) });

  test('answers as asking each subscription would, also after changes', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(change, routing), { maxLength: 40 }), (steps) => {
        const index = new SubscriptionIndex();
        const current = new Map<string, Subscribed>();
        for (const step of steps) {
          if ('customer' in step) {
            const next = step.match ? subscription(step.customer, step.match) : undefined;
            index.set(step.customer, next);
            if (next) current.set(step.customer, next);
            else current.delete(step.customer);
          } else {
            const expected = [...current.values()].filter((one) => matches(one, 'root-cause', step));
            expect(index.customersFor('root-cause', step)).toEqual(expected.map(({ customer }) => customer));
          }
        }
      }),
    );
  });

  test('distinguishes values that join to the same text', () => {
    const index = new SubscriptionIndex();
    index.set('x', subscription('x', { company: ['ab'] }));
    expect(index.customersFor('root-cause', { company: 'ab', organisation: 'c', folder: '' })).toEqual(['x']);
    expect(index.customersFor('root-cause', { company: 'a', organisation: 'bc', folder: '' })).toEqual([]);
    expect(index.customersFor('root-cause', { organisation: 'undefinedab' })).toEqual([]);
  });
});

test('customers with a filter are kept apart, and change with their subscription', () => {
  const index = new SubscriptionIndex();
  index.set('x', { ...subscription('x', {}), filter: 'true' });
  index.set('y', subscription('y', {}));
  const ask = () => index.filteredAmong(index.customersFor('root-cause', EVENT));
  expect(ask()).toEqual([{ customer: 'x', filter: 'true' }]);
  index.set('x', { ...subscription('x', {}), filter: 'true && false', granted: { filter: 'true' } });
  expect(ask()).toEqual([
    { customer: 'x', filter: 'true' },
    { customer: 'x', filter: 'true && false', isOwn: true },
  ]);
  index.set('x', subscription('x', {}));
  expect(ask()).toEqual([]);
});
