import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Turn, Turns } from './turns.ts';

/** Customers with so many pieces of work that take so long each; what they did, in order. */
function setUp(pieces: Record<string, number>, pieceMs: number) {
  let nowMs = 0;
  const turns = new Turns(() => nowMs);
  const done: string[] = [];
  const left = new Map(Object.entries(pieces));
  const work = (name: string, turn: Turn) => {
    while ((left.get(name) ?? 0) > 0 && turn.requestTurn()) {
      turn.work(() => {
        left.set(name, (left.get(name) ?? 0) - 1);
        done.push(name);
        nowMs += pieceMs;
      });
    }
  };
  for (const name of left.keys()) {
    const turn: Turn = turns.join(() => work(name, turn));
    work(name, turn);
  }
  return done;
}

test('a customer whose slice is used up lets the others work before it goes on, round-robin', async () => {
  const done = setUp({ a: 6, b: 4, c: 1 }, 1);
  expect(done.join('')).toBe('aabbc');
  await nextTurn();
  await nextTurn();
  await nextTurn();
  expect(done.join('')).toBe('aabbcaabbaa');
});

test('a piece that takes longer than a slice is done, and the next waits', async () => {
  const done = setUp({ a: 2, b: 2 }, 50);
  expect(done.join('')).toBe('ab');
  await nextTurn();
  // A round ends after 6 ms, so that sockets and timers are looked at in between.
  expect(done.join('')).toBe('aba');
  await nextTurn();
  expect(done.join('')).toBe('abab');
});

test('the time after a piece of work counts for the customer that did it', async () => {
  let nowMs = 0;
  const turns = new Turns(() => nowMs);
  const [busy, other] = [turns.join(() => undefined), turns.join(() => undefined)];
  busy.work(() => undefined);
  // Its answer is processed in microtasks.
  nowMs += 1;
  expect(busy.requestTurn()).toBe(true);
  busy.work(() => undefined);
  nowMs += 1;
  expect(other.requestTurn()).toBe(true);
  expect(busy.requestTurn()).toBe(false);
  await nextTurn();
  // The wait for sockets between two turns counts for nobody.
  busy.work(() => undefined);
  await nextTurn();
  nowMs += 1_000;
  other.work(() => undefined);
  expect([busy.requestTurn(), other.requestTurn()]).toEqual([true, true]);
});

test('slices get shorter the more customers are active, and long again when the others have nothing to do', () => {
  let nowMs = 1_000;
  const turns = new Turns(() => nowMs);
  const members = Array.from({ length: 20 }, () => turns.join(() => undefined));
  const sliceAfter = (customers: number) => {
    for (const one of members.slice(0, customers)) one.work(() => undefined);
    nowMs += 200;
    members[0]?.work(() => undefined);
    return turns.sliceMs;
  };
  expect([1, 4, 6, 20, 1].map(sliceAfter)).toEqual([2, 1.5, 1, 0.5, 2]);
});
