import { type Attempt, type AttemptBatch, attemptsKey, attemptsRecord, placesOf, withoutAttempts } from './attempts.ts';

const attempt = (eventId: string): Attempt => ({
  ...{ eventId, attempt: 1, at: 1, durationMs: 1, outcome: 'delivered', lane: 'main' },
});
const batch = (...ids: string[]): AttemptBatch => ({ customer: 'acme', worker: 'w', attempts: ids.map(attempt) });
const isNot =
  (...ids: string[]) =>
  ({ eventId }: Attempt) =>
    ids.includes(eventId);

test('what is left of a record keeps the places that its attempts had, however often it is replaced', () => {
  const first = withoutAttempts(batch('a', 'b', 'c', 'd'), 17, isNot('a')) as AttemptBatch;
  const second = withoutAttempts(first, 40, isNot('c')) as AttemptBatch;
  expect(second.attempts.map(({ eventId }) => eventId)).toEqual(['b', 'd']);
  const places = placesOf(second, 51);
  expect([places.offset, places.indexOf(0), places.indexOf(1)]).toEqual([17, 1, 3]);
  expect(placesOf(batch('a'), 51)).toMatchObject({ offset: 51 });
});

test('a record without any of them stays, and one with nothing else goes', () => {
  expect(withoutAttempts(batch('a', 'b'), 17, isNot('c'))).toBeUndefined();
  expect(withoutAttempts(batch('a', 'b'), 17, isNot('a', 'b'))).toBeNull();
});

test('records of one customer have keys of their own, and those of earlier versions the same', () => {
  const keys = ['1', '2'].map((id) => attemptsKey(Buffer.from(attemptsRecord(batch('a'), id).key)));
  expect(keys).toEqual([
    { customer: 'acme', isUnique: true },
    { customer: 'acme', isUnique: true },
  ]);
  expect(attemptsKey(Buffer.from('acme'))).toEqual({ customer: 'acme', isUnique: false });
  expect(attemptsRecord(batch('a'), '1')).toMatchObject({ placedBy: 'acme' });
});
