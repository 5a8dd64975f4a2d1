/** Destinations that are neither up nor down: they hang, reset, talk nonsense, drip, never end. */
import { setTimeout as delay } from 'node:timers/promises';
import { expectKept, FaultRun } from './fault-run.ts';
import { MISBEHAVIOURS } from './misbehaviour.ts';

let run: FaultRun;

beforeAll(async () => {
  run = await FaultRun.start({ scenario: 'destinations misbehave', customers: 2, timeoutMs: 2_000 });
});
afterAll(() => run?.close());

test('no answer stops a worker or costs an event', async () => {
  const starts = run.workers.map((worker) => worker.starts);
  for (const how of MISBEHAVIOURS) {
    await run.fault(how, [], async () => {
      run.receiver.behave({ kind: 'misbehave', how: [how] });
      await delay(4_000);
      run.receiver.behave({ kind: 'accept', delayMs: 5 });
    });
  }
  // None has ended, so none has crashed.
  expect(run.workers.map((worker) => worker.starts)).toEqual(starts);
  await run.fault('all at once, SIGKILL and SIGTERM meanwhile', ['delivery'], async () => {
    run.receiver.behave({ kind: 'misbehave', how: MISBEHAVIOURS });
    await delay(4_000);
    await run.workers[0]?.kill();
    expect((await run.workers[1]?.terminate())?.exit).toBe(0);
    run.receiver.behave({ kind: 'accept', delayMs: 5 });
  });
  expectKept(await run.finish());
});
