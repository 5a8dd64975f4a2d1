/** The schema registry goes away while services start that know no schema yet. It is our own fault: all waits. */
import { setTimeout as delay } from 'node:timers/promises';
import { expectKept, FaultRun } from './fault-run.ts';

let run: FaultRun;

beforeAll(async () => {
  run = await FaultRun.start({ scenario: 'the registry is down' });
});
afterAll(() => run?.close());

test('who knows the schema goes on, who does not waits; nothing is lost or charged to a customer', async () => {
  const { platform } = run;
  await run.fault('registry down; services that know the schema', [], async () => {
    await platform.stopRegistry('kill');
    await run.flowing();
  });
  await run.fault(
    'registry down; services restarted (SIGKILL, SIGTERM), then up',
    ['delivery', 'fan-out'],
    async () => {
      await Promise.all([run.workers[0]?.kill(), run.fanOuts[0]?.kill()]);
      await run.struck();
      expect((await run.workers[1]?.terminate())?.exit).toBe(0);
      await delay(8_000);
      expect((await run.onCall())?.text ?? 'registry').toMatch(/registry/);
      // A worker that waits for the registry ends in good order all the same.
      expect((await run.workers[0]?.terminate())?.exit).toBe(0);
      await platform.startRegistry();
    },
  );
  const report = await run.finish();
  expectKept(report);
});
