import type { Membership } from '@databridge/kernel/kafka/groups/membership';
import fc from 'fast-check';
import { IntakeProgress, PartitionProgress } from './intake-progress.ts';

const PLACE = { topic: 'intake', partition: 0 };

function batch(nextOffset: number, valueBytes = 10) {
  const record = { offset: nextOffset - 1, timestampMs: 0, key: null, value: Buffer.alloc(valueBytes), headers: {} };
  return { ...PLACE, records: [record], nextOffset, highWatermark: nextOffset };
}

test('whatever order batches get done in, what is committed never passes one that is open, and in the end all is', () => {
  const orders = fc
    .integer({ min: 1, max: 12 })
    .chain((count) => fc.shuffledSubarray([...Array(count).keys()], { minLength: count, maxLength: count }));
  fc.assert(
    fc.property(orders, (order) => {
      const progress = new PartitionProgress(PLACE);
      const open = order.map((_, index) => progress.begin(batch((index + 1) * 10)));
      let committed = 0;
      for (const index of order) {
        const done = open[index];
        if (done) progress.finish(done);
        const offset = progress.take()?.offset ?? committed;
        expect(offset).toBeGreaterThanOrEqual(committed);
        committed = offset;
        const firstOpen = open.findIndex(({ isDone }) => !isDone);
        expect(committed).toBe((firstOpen === -1 ? open.length : firstOpen) * 10);
      }
      expect(progress.openBytes).toBe(0);
    }),
  );
});

test('a commit that failed is taken again, unless a later one has come', () => {
  const progress = new PartitionProgress(PLACE);
  progress.finish(progress.begin(batch(10)));
  const first = progress.take();
  if (!first) throw new Error('nothing to commit');
  progress.restore(first);
  expect(progress.take()?.offset).toBe(10);
  progress.finish(progress.begin(batch(20)));
  progress.restore(first);
  expect(progress.take()?.offset).toBe(20);
  expect(progress.take()).toBeUndefined();
});

describe('waiting', () => {
  const membership = (): Membership => ({ isCurrent: true }) as Membership;

  test('ends with what is waited for', async () => {
    await new IntakeProgress(membership()).untilOver([Promise.resolve()]);
  });

  test('ends with the membership, and does not begin after it', async () => {
    const progress = new IntakeProgress(membership());
    const waiting = progress.untilOver([new Promise(() => undefined)]);
    progress.end();
    await waiting;
    expect(progress.isOver).toBe(true);
    await progress.untilOver([new Promise(() => undefined)]);
  });

  test('what was waited for fails after the end: it is handled, so the process goes on draining', async () => {
    const rejections: unknown[] = [];
    const note = (reason: unknown) => rejections.push(reason);
    process.on('unhandledRejection', note);
    try {
      const { promise: lookup, reject } = Promise.withResolvers();
      await new IntakeProgress({ isCurrent: false } as Membership).untilOver([lookup]);
      reject(new Error('stopped'));
      await new Promise((resolve) => setImmediate(resolve));
      expect(rejections).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });
});
