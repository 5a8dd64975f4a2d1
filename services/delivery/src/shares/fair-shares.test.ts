import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { FairShares, type Share } from './fair-shares.ts';

/** Takes as many single units as the member may. */
function takeAll(share: Share): number {
  let taken = 0;
  for (; share.requestRoom(1); taken++) share.take(1);
  return taken;
}

test('a member alone leaves a part of what it may borrow', () => {
  const shares = new FairShares(4_096);
  expect(takeAll(shares.join())).toBe(3_072);
});

test('a greedy member leaves every other its floor, and as much to borrow as it borrowed itself', () => {
  const shares = new FairShares(4_000);
  const [greedy, idle, late] = [shares.join(), shares.join(), shares.join()] as const;
  // Floors of 666; 2,002 to borrow.
  expect(takeAll(greedy)).toBe(666 + 1_001);
  expect(takeAll(late)).toBeGreaterThanOrEqual(666 + 500);
  expect(idle.allowance).toBeGreaterThanOrEqual(666);
  expect(takeAll(idle)).toBeGreaterThanOrEqual(666);
});

test('many greedy members leave a newcomer its floor', () => {
  const shares = new FairShares(400);
  const members = Array.from({ length: 10 }, () => shares.join());
  for (const member of members.slice(1)) takeAll(member);
  expect(takeAll(members[0] as Share)).toBeGreaterThanOrEqual(shares.floor);
});

test('with more members than units each has one in turn', () => {
  const shares = new FairShares(2);
  const [first, second, third] = [shares.join(), shares.join(), shares.join()] as const;
  expect([takeAll(first), takeAll(second), takeAll(third)]).toEqual([1, 1, 0]);
  first.giveBack(1);
  expect(takeAll(third)).toBe(1);
});

test('a borrower gets no new unit while it has more than its allowance', () => {
  const shares = new FairShares(100);
  const greedy = shares.join();
  takeAll(greedy);
  const others = Array.from({ length: 4 }, () => shares.join());
  for (const other of others) takeAll(other);
  while (greedy.used > greedy.allowance) {
    expect(greedy.requestRoom(1)).toBe(false);
    greedy.giveBack(1);
  }
  expect(shares.used).toBeLessThanOrEqual(100);
});

test('members that wait are called when there is room, the one that uses least first', async () => {
  const shares = new FairShares(4);
  const called: string[] = [];
  const a = shares.join(() => called.push('a'));
  const b = shares.join(() => called.push('b'));
  takeAll(a);
  takeAll(b);
  a.take(4 - shares.used);
  expect([a.requestRoom(1), b.requestRoom(1)]).toEqual([false, false]);
  a.giveBack(a.used);
  await nextTurn();
  expect(called[0]).toBe('a');
  a.leave();
  expect(shares.used).toBe(b.used);
});

test('whatever members do, those below their floor are never refused, and the total is kept', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 20, max: 500 }),
      fc.array(fc.tuple(fc.nat(9), fc.boolean()), { maxLength: 800 }),
      (total, steps) => {
        const shares = new FairShares(total);
        const members = Array.from({ length: 10 }, () => shares.join());
        for (const [at, takes] of steps) {
          const member = members[at] as Share;
          if (!takes) member.giveBack(Math.min(member.used, 3));
          else if (member.requestRoom(1)) member.take(1);
          else expect(member.used).toBeGreaterThanOrEqual(shares.floor);
          expect(shares.used).toBeLessThanOrEqual(total);
        }
      },
    ),
  );
});

test('however members come, go, take and give back, each may borrow half of what no other claims', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.array(fc.tuple(fc.nat(3), fc.nat(20)), { maxLength: 200 }),
      (total, steps) => {
        const shares = new FairShares(total);
        const members: Share[] = [shares.join()];
        for (const [what, at] of steps) {
          const member = members[at % members.length] as Share;
          if (what === 0) members.push(shares.join());
          else if (what === 1 && members.length > 1) members.splice(members.indexOf(member), 1)[0]?.leave();
          else if (what === 2) member.take(1 + at);
          else member.giveBack(Math.min(member.used, at));

          const claims = members.map(({ used }) => Math.max(used, shares.floor));
          const claimed = claims.reduce((sum, one) => sum + one, 0);
          for (const [n, { allowance }] of members.entries()) {
            const free = total - (claimed - (claims[n] as number)) - shares.floor;
            expect(allowance).toBe(shares.floor + Math.max(0, free) / 2);
          }
        }
      },
    ),
  );
});
