import { LetterPage, type LetterPageQuery } from './letter-page.ts';

const OFFSETS = [2, 5, 6, 9, 12];

function pages(order: LetterPageQuery['order'], limit: number): number[][] {
  const all: number[][] = [];
  for (let place: number | undefined; ; ) {
    const page = new LetterPage<number>({ order, limit, place });
    for (const offset of OFFSETS) page.take(offset, () => offset);
    const { items, next } = page.page();
    all.push(items);
    if (next === undefined) return all;
    place = Number(next);
  }
}

test.each<[LetterPageQuery['order'], number, number[][]]>([
  ['oldest', 2, [[2, 5], [6, 9], [12]]],
  ['newest', 2, [[12, 9], [6, 5], [2]]],
  ['newest', 5, [[12, 9, 6, 5, 2]]],
  ['oldest', 5, [[2, 5, 6, 9, 12]]],
])('pages of the %s first, %d each, contain each item once', (order, limit, expected) => {
  expect(pages(order, limit)).toEqual(expected);
});

test('what can’t be on the page is not even made', () => {
  const page = new LetterPage<number>({ order: 'oldest', limit: 1 });
  let made = 0;
  for (const offset of OFFSETS) page.take(offset, () => ++made);
  expect(made).toBe(2);
});
