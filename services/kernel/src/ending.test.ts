import { setImmediate as nextTurn } from 'node:timers/promises';
import { Ending } from './ending.ts';

test('a wait ends with its promise, or with the end', async () => {
  const ending = new Ending();
  expect(await ending.orEnded(Promise.resolve('done'))).toBe('done');
  await expect(ending.orEnded(Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  const endless = ending.orEnded(new Promise(() => undefined));
  ending.end();
  expect(await endless).toBeUndefined();
  expect(await ending.orEnded(new Promise(() => undefined))).toBeUndefined();
});

test('waits leave nothing behind', async () => {
  const ending = new Ending();
  for (let i = 0; i < 100; i++) await ending.orEnded(Promise.resolve());
  expect(ending.waitingCount).toBe(0);
});

test('what fails after the end is handled', async () => {
  const rejections: unknown[] = [];
  const note = (reason: unknown) => rejections.push(reason);
  process.on('unhandledRejection', note);
  try {
    const ending = new Ending();
    const before = Promise.withResolvers();
    const waiting = ending.orEnded(before.promise);
    ending.end();
    await waiting;
    before.reject(new Error('late'));
    expect(await ending.orEnded(Promise.reject(new Error('after the end')))).toBeUndefined();
    await nextTurn();
    expect(rejections).toEqual([]);
  } finally {
    process.off('unhandledRejection', note);
  }
});
