/** SIGKILL of each service, at random moments under load. */
import { setTimeout as delay } from 'node:timers/promises';
import { expectKept, FaultRun } from './fault-run.ts';

let run: FaultRun;

beforeAll(async () => {
  run = await FaultRun.start({ scenario: 'SIGKILL of each service', fanOuts: 2, workers: 2 });
});
afterAll(() => run?.close());

test('nothing is lost, and repeats are what was in flight or not yet committed', async () => {
  const victims = [run.workers[0], run.fanOuts[0], run.workers[1], run.fanOuts[1]];
  for (const victim of victims) {
    if (!victim) continue;
    const hits = victim.name.startsWith('worker') ? (['delivery'] as const) : (['fan-out'] as const);
    await delay(Math.random() * 1_500);
    await run.fault(`SIGKILL ${victim.name}`, hits, async () => {
      await victim.kill();
      await run.struck();
      await victim.ready();
    });
  }
  await run.fault('SIGKILL of all at once', ['delivery', 'fan-out'], async () => {
    await Promise.all([...run.workers, ...run.fanOuts].map((service) => service.kill()));
    await run.struck();
    await Promise.all([...run.workers, ...run.fanOuts].map((service) => service.ready()));
  });
  const { exit } = (await run.workers[0]?.terminate()) ?? {};
  expect(exit).toBe(0);
  expectKept(await run.finish());
});
