import { Together } from './together.ts';

function asking(maxKeys = 100) {
  const requests: { readonly keys: readonly string[]; answer(): void; fail(error: Error): void }[] = [];
  const together = new Together<string, string>((keys) => {
    const { promise, resolve, reject } = Promise.withResolvers<Map<string, string>>();
    const answer = () => resolve(new Map(keys.filter((key) => key !== 'unknown').map((key) => [key, `<${key}>`])));
    requests.push({ keys, answer, fail: reject });
    return promise;
  }, maxKeys);
  const asked = async (count: number) => {
    while (requests.length < count) await new Promise((resolve) => setImmediate(resolve));
    return requests[count - 1] as (typeof requests)[number];
  };
  return { together, requests, asked };
}

test('all that ask in one turn share a request, and each gets its own answer', async () => {
  const { together, asked } = asking();
  const answers = Promise.all(['a', 'b', 'a', 'unknown'].map((key) => together.of(key)));
  const request = await asked(1);
  expect(request.keys).toEqual(['a', 'b', 'unknown']);
  request.answer();
  expect(await answers).toEqual(['<a>', '<b>', '<a>', undefined]);
});

test('those that ask while a request is under way share the next one, in requests of a limited size', async () => {
  const { together, requests, asked } = asking(2);
  const first = together.of('a');
  const request = await asked(1);
  const later = Promise.all(['a', 'b', 'c'].map((key) => together.of(key)));
  expect(requests).toHaveLength(1);
  request.answer();
  expect(await first).toBe('<a>');
  (await asked(2)).answer();
  (await asked(3)).answer();
  expect(await later).toEqual(['<a>', '<b>', '<c>']);
  expect(requests.map(({ keys }) => keys)).toEqual([['a'], ['a', 'b'], ['c']]);
});

test('a request that fails fails for those that share it, and the next one is made all the same', async () => {
  const { together, asked } = asking();
  const failed = Promise.allSettled([together.of('a'), together.of('b')]);
  const request = await asked(1);
  const next = together.of('c');
  request.fail(new Error('the broker is away'));
  expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  (await asked(2)).answer();
  expect(await next).toBe('<c>');
});
