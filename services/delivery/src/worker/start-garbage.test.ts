import { createLogger } from '@databridge/kernel/log';
import { ManualClock } from '@databridge/kernel/time/manual-clock';
import { StartGarbage } from './start-garbage.ts';

function start(garbage: StartGarbage, count: number): void {
  for (let n = 0; n < count; n++) garbage.noteBegin();
  for (let n = 0; n < count; n++) garbage.noteEnd(true);
}

test('the heap is compacted once after many starts, when none has begun for a while', () => {
  const clock = new ManualClock();
  let compacted = 0;
  const garbage = new StartGarbage(createLogger('test', 'silent'), clock, () => compacted++);

  start(garbage, 199);
  clock.advance(60_000);
  expect(compacted).toBe(0);

  start(garbage, 1);
  clock.advance(2_000);
  garbage.noteBegin();
  clock.advance(60_000);
  expect(compacted).toBe(0);

  garbage.noteEnd(false);
  clock.advance(60_000);
  expect(compacted).toBe(1);
  start(garbage, 10);
  clock.advance(60_000);
  expect(compacted).toBe(1);
});
