import { FairGate } from './fair-gate.ts';

const never = new AbortController().signal;
const options = { maxRunning: 2, maxRunningPerTenant: 1, maxWaitingPerTenant: 3, waitWithinMs: 60_000 };

/** Calls that run until they are let go, in the order in which they began. */
function heldCalls() {
  const begun: { readonly name: string; done(): void }[] = [];
  const call = (name: string) => () =>
    new Promise<void>((resolve) => {
      begun.push({ name, done: resolve });
    });
  return { begun, call };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('one tenant with a full queue keeps nobody else waiting, and tenants take turns', async () => {
  const gate = new FairGate({ ...options, maxRunning: 1 });
  const { begun, call } = heldCalls();
  const all = ['a1', 'a2', 'a3', 'b1', 'b2', 'c1'].map((name) => gate.run(name[0] as string, never, call(name)));
  for (let nth = 0; nth < all.length; nth++) {
    await settled();
    begun[nth]?.done();
  }
  await Promise.all(all);
  expect(begun.map(({ name }) => name)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
});

test('one tenant has no more than its share at a time, though places are free', async () => {
  const gate = new FairGate(options);
  const { begun, call } = heldCalls();
  const all = ['a1', 'a2', 'b1'].map((name) => gate.run(name[0] as string, never, call(name)));
  await settled();
  expect(begun.map(({ name }) => name)).toEqual(['a1', 'b1']);
  for (const { done } of begun) done();
  await settled();
  begun.at(-1)?.done();
  await Promise.all(all);
});

test('a full queue is the tenant’s own: 429 for it, and none for others', async () => {
  const gate = new FairGate(options);
  const { begun, call } = heldCalls();
  const mine = Array.from({ length: 4 }, (_, nth) => gate.run('a', never, call(`a${nth}`)));
  await expect(gate.run('a', never, call('a4'))).rejects.toMatchObject({ code: 'DB_RATE_LIMITED' });
  const other = gate.run('b', never, call('b'));
  await settled();
  expect(begun.map(({ name }) => name)).toEqual(['a0', 'b']);
  begun[1]?.done();
  await other;
  for (let nth = 0; nth < 5; nth++) {
    for (const { done } of begun) done();
    await settled();
  }
  await Promise.all(mine);
});

test('a request that waits too long, or whose client leaves, gives up its place in the queue', async () => {
  const gate = new FairGate({ ...options, waitWithinMs: 20 });
  const { begun, call } = heldCalls();
  const first = gate.run('a', never, call('a1'));
  await expect(gate.run('a', never, call('a2'))).rejects.toMatchObject({ code: 'DB_BUSY' });
  const gone = new AbortController();
  const leaving = gate.run('a', gone.signal, call('a3'));
  gone.abort();
  await expect(leaving).rejects.toMatchObject({ code: 'DB_BUSY' });
  begun[0]?.done();
  await first;
  const last = gate.run('a', never, call('a4'));
  await settled();
  expect(begun.map(({ name }) => name)).toEqual(['a1', 'a4']);
  begun[1]?.done();
  await last;
});

test('a call that fails gives its place back', async () => {
  const gate = new FairGate({ ...options, maxRunning: 1 });
  for (let nth = 0; nth < 3; nth++) {
    await expect(gate.run('a', never, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  }
  expect(await gate.run('a', never, () => 'fine')).toBe('fine');
});
