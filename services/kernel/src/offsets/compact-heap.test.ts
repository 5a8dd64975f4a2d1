import { setImmediate as turn } from 'node:timers/promises';
import { compactHeap } from './compact-heap.ts';

test('what nobody holds is gone, what somebody holds is not', async () => {
  const held = { of: 'the test' };
  const refs = [new WeakRef({ of: 'nobody' }), new WeakRef(held)];
  // Until a job ends, it keeps what its weak references were made for.
  await turn();
  compactHeap();
  expect(refs.map((ref) => ref.deref())).toEqual([undefined, held]);
});
