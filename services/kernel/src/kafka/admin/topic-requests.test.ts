import { requestsOf } from './topic-requests.ts';

const topic = (name: string, partitions: number, settings: number) => ({
  topic: name,
  partitions,
  config: Object.fromEntries(Array.from({ length: settings }, (_, n) => [`setting.${n}`, ''])),
});

test('topics are created in requests that a controller takes, each topic once, in their order', () => {
  // A topic of its own, its partitions and its settings: a record each.
  const specs = [topic('a', 1, 2), topic('b', 1, 2), topic('c', 1, 2), topic('large', 30, 0), topic('d', 1, 0)];
  const names = requestsOf(specs, 8).map((request) => request.map((spec) => spec.topic));
  expect(names).toEqual([['a', 'b'], ['c'], ['large'], ['d']]);
  expect(requestsOf([])).toEqual([]);
});
