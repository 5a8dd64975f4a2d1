import { encodeOffsetSet } from '@databridge/kernel/offsets/offset-set';
import fc from 'fast-check';
import { doneBy } from './gather-evidence.ts';
import { addsUp, type Evidence, fatesIn, reconcile } from './reconcile.ts';

function evidenceOf(fates: Readonly<Record<string, string>>, more: Partial<Evidence> = {}): Evidence {
  const ids = (fate: string) => Object.keys(fates).filter((id) => fates[id] === fate);
  const tried = (outcome: string, delivered: number) => ({ attempts: 1, delivered, lastOutcome: outcome });
  return {
    customer: 'acme',
    written: new Map(Object.keys(fates).map((id) => [id, { eventId: id, records: 1, source: `in/0/${id}` }])),
    waiting: new Map([...ids('waiting').map((id) => [id, ['main']] as const)]),
    dead: new Map(ids('dead').map((id) => [id, 'refused'])),
    tombstones: new Set(ids('redriven')),
    attempted: new Map([
      ...ids('delivered').map((id) => [id, tried('delivered', 1)] as const),
      ...ids('refused').map((id) => [id, tried('refused', 0)] as const),
      ...ids('skipped').map((id) => [id, { attempts: 0, delivered: 0, lastOutcome: 'skipped' }] as const),
      ...ids('retry').map((id) => [id, tried('retry', 0)] as const),
    ]),
    ...more,
  };
}

describe('reconciling', () => {
  test('every event that was written has one fate', () => {
    const fates = {
      a: 'delivered',
      b: 'waiting',
      c: 'dead',
      d: 'redriven',
      e: 'refused',
      f: 'delivered',
      g: 'skipped',
    };
    const found = reconcile(evidenceOf(fates), {});
    expect(found).toMatchObject({ skipped: 1 });
    expect(found).toMatchObject({ written: 7, delivered: 2, waiting: 1, dead: 1, removed: 2, unaccounted: [] });
    expect(found).toMatchObject({ waitingByLane: { main: 1 }, deadByReason: { refused: 1 } });
    expect(addsUp(found)).toBe(true);
  });

  test('an erased event is erased, whatever became of it before, and its replays are not lost', () => {
    const replays = new Map([['sent@in/0/sent/r1', { eventId: 'sent', source: 'in/0/sent', replayId: 'r1' }]]);
    const erased = new Set(['sent', 'sent@in/0/sent', 'lost']);
    const found = reconcile(evidenceOf({ sent: 'delivered', lost: 'nowhere', a: 'waiting' }, { replays, erased }), {});
    expect(found).toMatchObject({
      written: 3,
      delivered: 0,
      erased: 2,
      waiting: 1,
      deliveredAgain: 0,
      unaccounted: [],
    });
  });

  test('an event that nothing accounts for is named, with its source', () => {
    const found = reconcile(evidenceOf({ a: 'delivered', lost: 'nowhere', tried: 'retry' }), {});
    expect(found.unaccounted).toEqual([
      { eventId: 'lost', source: 'in/0/lost' },
      { eventId: 'tried', source: 'in/0/tried' },
    ]);
    expect(addsUp(found)).toBe(false);
  });

  test('what is done and older than the attempt log is settled, not lost', () => {
    const evidence = evidenceOf({ old: 'nowhere', lost: 'nowhere' }, { settled: new Set(['old']) });
    expect(reconcile(evidence, {})).toMatchObject({ settled: 1, unaccounted: [{ eventId: 'lost' }] });
  });

  test('a lost replay is named, though its event was delivered before', () => {
    const replay = { eventId: 'a', replayId: 'r1', source: 'in/0/a' };
    const evidence = evidenceOf({ a: 'delivered' }, { replays: new Map([['a@in/0/a/r1', replay]]) });
    const found = reconcile(evidence, {});
    expect(found).toMatchObject({ delivered: 1, replays: 1, unaccounted: [replay] });
    expect(addsUp(found)).toBe(false);
    const attempted = new Map([
      ...evidence.attempted,
      ['a@in/0/a/r1', { attempts: 1, delivered: 1, lastOutcome: 'delivered' }] as const,
    ]);
    expect(addsUp(reconcile({ ...evidence, attempted }, {}))).toBe(true);
  });

  test('what was accepted is delivered, though a fork of it waits', () => {
    const evidence = evidenceOf({ a: 'delivered' }, { waiting: new Map([['a', ['10s']]]) });
    expect(reconcile(evidence, {})).toMatchObject({ delivered: 1, waiting: 0 });
  });

  test('two events with one event id are two: each needs evidence of its own', () => {
    const written = new Map([1, 2].map((n) => [`a@in/0/${n}`, { eventId: 'a', records: 1, source: `in/0/${n}` }]));
    const once = { attempts: 1, delivered: 1, lastOutcome: 'delivered' };
    const attempted = new Map([['a@in/0/1', once]]);
    const evidence = evidenceOf({}, { written, attempted });
    expect(reconcile(evidence, {})).toMatchObject({
      ...{ written: 2, delivered: 1, deliveredAgain: 0 },
      unaccounted: [{ eventId: 'a', source: 'in/0/2' }],
    });
    expect(fatesIn(evidence)).toEqual({ 'a@in/0/1': 'delivered', 'a@in/0/2': 'unaccounted' });
    const both = { ...evidence, dead: new Map([['a@in/0/2', 'refused']]) };
    expect(reconcile(both, {})).toMatchObject({ delivered: 1, dead: 1, unaccounted: [] });
  });

  test('evidence without a source counts for the event id', () => {
    const written = new Map([['a@in/0/1', { eventId: 'a', records: 1, source: 'in/0/1' }]]);
    expect(reconcile(evidenceOf({}, { written, tombstones: new Set(['a']) }), {})).toMatchObject({ removed: 1 });
  });

  test('the counts always add up to what was written', () => {
    const fate = fc.constantFrom('delivered', 'waiting', 'dead', 'redriven', 'refused', 'retry', 'skipped', 'nowhere');
    fc.assert(
      fc.property(fc.array(fate), (fates) => {
        const found = reconcile(evidenceOf(Object.fromEntries(fates.map((one, index) => [`e${index}`, one]))), {});
        const { delivered, waiting, dead, removed, skipped, unaccounted } = found;
        expect(delivered + waiting + dead + removed + skipped + unaccounted.length).toBe(fates.length);
      }),
    );
  });
});

test('done is what the commit says, with what its metadata adds', () => {
  const metadata = encodeOffsetSet(100, [{ from: 102, to: 104 }]);
  const isDone = doneBy([{ topic: 't', partition: 0, offset: 100, metadata }]);
  const done = [99, 100, 101, 102, 103, 104].filter((offset) => isDone('t', 0, offset));
  expect(done).toEqual([99, 102, 103]);
  expect(isDone('t', 1, 0)).toBe(false);
});
