import { createLogger } from '@databridge/kernel/log';
import { ManualClock } from '@databridge/kernel/time/manual-clock';
import { CUSTOMERS_STARTED, StartGarbage } from './start-garbage.ts';

function start(garbage: StartGarbage, count: number): void {
  for (let n = 0; n < count; n++) garbage.noteBegin();
  for (let n = 0; n < count; n++) garbage.noteEnd(true);
}

test('one line states how many customers started together, and how long it took', () => {
  const clock = new ManualClock();
  const log = createLogger('test', 'silent');
  const lines: unknown[] = [];
  log.info = (fields: unknown, message?: unknown) => void lines.push([message, fields]);
  const garbage = new StartGarbage(log, clock, () => undefined);

  garbage.noteBegin();
  garbage.noteBegin();
  garbage.noteBegin();
  clock.advance(300);
  garbage.noteEnd(true);
  garbage.noteEnd(false);
  clock.advance(700);
  expect(lines).toEqual([]);
  garbage.noteEnd(true);
  expect(lines).toEqual([[CUSTOMERS_STARTED, { started: 2, tookMs: 1_000 }]]);

  garbage.noteBegin();
  garbage.noteEnd(false);
  clock.advance(50);
  start(garbage, 1);
  expect(lines).toEqual([
    [CUSTOMERS_STARTED, { started: 2, tookMs: 1_000 }],
    [CUSTOMERS_STARTED, { started: 1, tookMs: 0 }],
  ]);
});

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
