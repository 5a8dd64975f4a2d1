/** The one broker goes away and comes back: in good order, by a crash, and once for longer than every session lasts. */
import { setTimeout as delay } from 'node:timers/promises';
import { ENDS_WITHIN_MS, expectKept, FaultRun } from './fault-run.ts';

let run: FaultRun;

beforeAll(async () => {
  run = await FaultRun.start({ scenario: 'the broker restarts' });
});
afterAll(() => run?.close());

test('all goes on when the broker is back, and nothing is lost', async () => {
  const { platform } = run;
  await run.fault('broker stopped and started', ['delivery', 'fan-out'], async () => {
    await platform.stopBroker('graceful');
    await platform.startBroker();
  });
  await run.fault('broker killed and started', ['delivery', 'fan-out'], async () => {
    await platform.stopBroker('kill');
    await platform.startBroker();
  });
  await run.fault('broker frozen for 10 s', ['delivery', 'fan-out'], async () => {
    platform.signalBroker('SIGSTOP');
    await delay(10_000);
    platform.signalBroker('SIGCONT');
  });
  await run.fault('broker away for 15 s, SIGTERM meanwhile', ['delivery', 'fan-out'], async () => {
    await platform.stopBroker('kill');
    const [ended, seen] = await Promise.all([run.workers[0]?.terminate(), run.onCall(), delay(15_000)]);
    expect(seen?.text ?? 'Kafka').toMatch(/Kafka/);
    // It can't commit what it finished; it must end all the same.
    expect(ended?.tookMs).toBeLessThan(ENDS_WITHIN_MS);
    await platform.startBroker();
  });
  expectKept(await run.finish());
});
