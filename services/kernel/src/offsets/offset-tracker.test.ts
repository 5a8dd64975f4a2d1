import fc from 'fast-check';
import { decodeOffsetSet, encodeOffsetSet } from './offset-set.ts';
import { OffsetTracker } from './offset-tracker.ts';

describe('offset set', () => {
  test('the documented example', () => {
    const ranges = [
      { from: 101, to: 104 },
      { from: 107, to: 108 },
    ];
    expect(encodeOffsetSet(100, ranges)).toBe('AAQMDAQ');
    expect(decodeOffsetSet(100, 'AAQMDAQ')).toEqual(ranges);
  });

  test('what is encoded comes back', () => {
    const runs = fc.array(fc.tuple(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 1e6 })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 45 }), runs, (committed, lengths) => {
        let position = committed;
        const ranges = lengths.map(([gap, length]) => {
          const from = position + gap;
          position = from + length;
          return { from, to: position };
        });
        expect(decodeOffsetSet(committed, encodeOffsetSet(committed, ranges))).toEqual(ranges);
      }),
    );
  });

  test('foreign or damaged metadata is no set, and never throws', () => {
    for (const metadata of [null, '', 'reset by hand', 'A', 'A!', 'AAA', 'B_____', `A${'_'.repeat(40)}`]) {
      expect(decodeOffsetSet(5, metadata)).toEqual([]);
    }
    fc.assert(fc.property(fc.string(), (text) => Array.isArray(decodeOffsetSet(5, text))));
  });
});

describe('offset tracker', () => {
  const take = (tracker: OffsetTracker, ...offsets: number[]) => offsets.map((offset) => tracker.accept(offset));

  test('the committed offset is the lowest that is not done', () => {
    const tracker = new OffsetTracker(10, null);
    take(tracker, 10, 11, 12);
    tracker.done(11);
    tracker.done(12);
    expect(tracker.uncommitted()?.offset).toBe(10);
    tracker.done(10);
    expect(tracker.uncommitted()).toEqual({ offset: 13, metadata: '' });
  });

  test('an offset fetched again by a rejoin is not taken twice', () => {
    const tracker = new OffsetTracker(0, null);
    expect(take(tracker, 0, 1, 0, 1, 2)).toEqual([true, true, false, false, true]);
  });

  test('what is committed already is not committed again', () => {
    const tracker = new OffsetTracker(0, null);
    take(tracker, 0, 1);
    tracker.done(1);
    const point = tracker.uncommitted();
    expect(point).toBeDefined();
    if (point) tracker.markCommitted(point);
    expect(tracker.uncommitted()).toBeUndefined();
  });

  test('gaps in the log and control records at its end do not hold the commit back', () => {
    const tracker = new OffsetTracker(0, null);
    take(tracker, 3, 7);
    tracker.advanceTo(12);
    tracker.done(3);
    tracker.done(7);
    expect(tracker.uncommitted()?.offset).toBe(12);
  });

  test('a restart before anything is fetched keeps what it knows', () => {
    const before = new OffsetTracker(0, null);
    take(before, 0, 1, 2, 3);
    before.done(2);
    const point = before.uncommitted();
    const after = new OffsetTracker(point?.offset ?? -1, point?.metadata ?? null);
    expect(after.uncommitted()).toBeUndefined();
  });

  test('what is read ahead and done is kept apart from what is not read yet', () => {
    const tracker = new OffsetTracker(0, null);
    take(tracker, 0, 1);
    tracker.skipTo(100);
    expect(take(tracker, 100, 101, 102)).toEqual([true, true, true]);
    tracker.done(0);
    tracker.done(1);
    tracker.done(100);
    tracker.done(102);
    expect(tracker.uncommitted()).toEqual({ offset: 2, metadata: 'AYgEBAQ' });
    expect([tracker.position, tracker.end, tracker.gapCount, tracker.unreadBelow(110)]).toEqual([2, 103, 1, 98 + 7]);

    const after = new OffsetTracker(2, 'AYgEBAQ');
    expect([after.position, after.end, after.unreadBelow(103)]).toEqual([2, 103, 98 + 1]);
    expect(take(after, 2, 99, 100, 101, 102, 103)).toEqual([true, true, false, true, false, true]);
  });

  test('reading at the front reaches what was read ahead, though a gap of the log lies between', () => {
    const tracker = new OffsetTracker(0, null);
    tracker.skipTo(10);
    tracker.accept(10);
    tracker.advanceTo(12, 10);
    tracker.accept(3);
    tracker.advanceTo(11);
    expect([tracker.position, tracker.gapCount, tracker.incompleteCount]).toEqual([12, 0, 2]);
    tracker.done(3);
    expect(tracker.uncommitted()?.offset).toBe(10);
    tracker.done(10);
    expect(tracker.uncommitted()).toEqual({ offset: 12, metadata: '' });
  });

  test('when nothing more fits the metadata, the offset alone is committed, and only the lowest may go', () => {
    const tracker = new OffsetTracker(0, null);
    for (let offset = 0; offset < 8_000; offset++) tracker.accept(offset);
    for (let offset = 1; offset < 8_000; offset += 2) tracker.done(offset);
    expect(tracker.uncommitted()).toBeUndefined();
    expect([tracker.isCrowded, tracker.lowest]).toEqual([true, 0]);
  });

  test('across restarts no done record is taken again, and no other is passed over', () => {
    const steps = fc.array(
      fc.record({
        fetch: fc.nat(6),
        done: fc.array(fc.nat(40), { maxLength: 8 }),
        restart: fc.boolean(),
        place: fc.constantFrom('front', 'ahead', 'jump'),
      }),
      {
        maxLength: 60,
      },
    );
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 4 }), (schedule, stride) => {
        const done = new Set<number>();
        let committed: { offset: number; metadata: string } = { offset: 0, metadata: '' };
        let tracker = new OffsetTracker(0, null);
        let held: number[] = [];
        const upToStride = (offset: number) => Math.ceil(offset / stride) * stride;
        for (const step of schedule) {
          if (step.place === 'jump') tracker.skipTo(tracker.end + 10 * stride);
          const from = step.place === 'front' ? tracker.position : tracker.end;
          let position = upToStride(from);
          for (let i = 0; i < step.fetch; i++, position += stride) {
            if (tracker.accept(position)) held.push(position);
            else expect(done.has(position) || held.includes(position)).toBe(true);
          }
          if (step.fetch > 0) tracker.advanceTo(position, from);
          for (const pick of step.done) {
            const [offset] = held.splice(pick % Math.max(held.length, 1), 1);
            if (offset === undefined) continue;
            expect(done.has(offset)).toBe(false);
            tracker.done(offset);
            done.add(offset);
          }
          const point = tracker.uncommitted();
          if (point) {
            tracker.markCommitted(point);
            committed = point;
          }
          for (let offset = 0; offset < committed.offset; offset += stride) expect(done.has(offset)).toBe(true);
          if (step.restart) {
            tracker = new OffsetTracker(committed.offset, committed.metadata);
            held = [];
          }
        }
      }),
      { numRuns: 150 },
    );
  });
});
