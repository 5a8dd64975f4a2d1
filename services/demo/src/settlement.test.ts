import { type Books, settle } from './settlement.ts';

const books: Books = {
  produced: new Map([
    ['a1', 'acme'],
    ['a2', 'acme'],
    ['i1', 'initech'],
    ['n1', 'nobody'],
    ['u1', 'undecodable'],
  ]),
  accounts: [
    {
      customer: 'acme',
      events: { 'a1@intake/0/1': 'delivered', 'a2@intake/1/0': 'dead' },
      waitingByLane: {},
      deadByReason: { refused: 1 },
    },
    { customer: 'initech', events: { 'i1@intake/0/2': 'waiting' }, waitingByLane: { '2s': 1 }, deadByReason: {} },
  ],
  quarantined: new Set(['u1']),
  unmatchedCount: 1,
  accepted: { acme: new Set(['a1']) },
};

describe('the demo’s books', () => {
  test('add up when every event is in one box', () => {
    expect(settle(books)).toEqual({
      produced: 5,
      delivered: { acme: 1 },
      waiting: { 'initech: retry lane 2s': 1 },
      dead: { 'acme: refused': 1 },
      unmatched: 1,
      quarantined: 1,
      mistakes: [],
    });
  });

  test.each<[string, Partial<Books>, string]>([
    ['an event is nowhere', { accounts: books.accounts.slice(0, 1) }, 'i1, meant for initech, is nowhere'],
    [
      'one is in two boxes',
      { quarantined: new Set(['u1', 'a1']) },
      'a1 is in 2 boxes: delivered for acme, quarantined',
    ],
    ['one was never produced', { quarantined: new Set(['u1', 'x']) }, 'x is quarantined, but was never produced'],
    ['fan-out counted otherwise', { unmatchedCount: 2 }, 'fan-out counted 2 unmatched events, not 1'],
    ['the receiver knows nothing of it', { accepted: {} }, 'a1 counts as delivered, but acme never accepted it'],
    [
      'only the receiver knows of it',
      { accepted: { acme: new Set(['a1', 'a2']) } },
      'acme accepted a2, but it does not count as delivered',
    ],
    [
      'nothing accounts for it',
      {
        accounts: [
          ...books.accounts.slice(0, 1),
          { ...books.accounts[1], events: { 'i1@intake/0/2': 'unaccounted' } } as never,
        ],
      },
      'i1 is not accounted for',
    ],
  ])('don’t when %s', (_what, change, mistake) => {
    expect(settle({ ...books, ...change }).mistakes).toContain(mistake);
  });
});
