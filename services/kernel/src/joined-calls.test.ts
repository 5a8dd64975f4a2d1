import { JoinedCalls } from './joined-calls.ts';

function setUp(fails: (items: readonly string[]) => boolean = () => false) {
  const made: { readonly items: readonly string[]; readonly end: () => void }[] = [];
  const calls = new JoinedCalls<string, string>(async (items) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    made.push({ items, end: resolve });
    await promise;
    if (fails(items)) throw new Error(`not ${items.join()}`);
    return items.join();
  });
  const next = async (at: number) => {
    while (made.length <= at) await new Promise(setImmediate);
    made[at]?.end();
  };
  return { calls, made, next };
}

test('the first call is made at once; those that come meanwhile, together after it', async () => {
  const { calls, made, next } = setUp();
  const results = [calls.run(['a']), calls.run(['b', 'c']), calls.run(['d'])];
  expect(made.map(({ items }) => items)).toEqual([['a']]);
  await next(0);
  await next(1);
  expect(await Promise.all(results)).toEqual(['a', 'b,c,d', 'b,c,d']);
  const later = calls.run(['e']);
  await next(2);
  expect(await later).toBe('e');
  expect(made).toHaveLength(3);
});

test('of calls that fail together, each is made again by itself: nobody fails for another’s items', async () => {
  const { calls, next } = setUp((items) => items.includes('bad'));
  const results = [calls.run(['a']), calls.run(['b']), calls.run(['bad']), calls.run(['c'])];
  const settled = Promise.allSettled(results);
  for (let at = 0; at < 5; at++) await next(at);
  expect((await settled).map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason)))).toEqual([
    ...['a', 'b', 'Error: not bad', 'c'],
  ]);
});
