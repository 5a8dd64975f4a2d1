import { OneAtATime } from './one-at-a-time.ts';

test('what is asked for one customer is done one after the other, and keeps no other customer waiting', async () => {
  const inTurn = new OneAtATime();
  const begun: string[] = [];
  const first = Promise.withResolvers<void>();
  const work = (name: string, until?: Promise<void>) => async () => {
    begun.push(name);
    await until;
  };
  inTurn.run('acme', work('acme 1', first.promise));
  inTurn.run('acme', work('acme 2'));
  const other = Promise.withResolvers<void>();
  inTurn.run('globex', async () => {
    begun.push('globex 1');
    other.resolve();
  });
  await other.promise;
  expect(begun).toEqual(['acme 1', 'globex 1']);
  first.resolve();
  await inTurn.ended();
  expect(begun).toEqual(['acme 1', 'globex 1', 'acme 2']);
});
