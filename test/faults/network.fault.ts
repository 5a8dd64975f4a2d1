/** The network between a worker and the broker, and between the workers and the destination: cut, silent, slow. */
import { setTimeout as delay } from 'node:timers/promises';
import { Relay } from '../harness/servers/relay.ts';
import { ENDS_WITHIN_MS, expectKept, FaultRun } from './fault-run.ts';

const SESSION_MS = 6_000;

let run: FaultRun;
let toBroker: Relay;
let toDestination: Relay;

beforeAll(async () => {
  [toBroker, toDestination] = await Promise.all([Relay.start(), Relay.start()]);
  run = await FaultRun.start({
    scenario: 'the network is cut, silent, slow',
    workers: 1,
    timeoutMs: 3_000,
    platform: { relayAtPort: toBroker.port },
    destinationPort: (receiver) => {
      toDestination.leadTo(receiver.port);
      return toDestination.port;
    },
  });
  toBroker.leadTo(run.platform.relayedPort as number);
  await run.addWorker({ KAFKA_BROKERS: `127.0.0.1:${toBroker.port}` });
  await run.flowing();
});
afterAll(async () => {
  await run?.close();
  await Promise.all([toBroker?.stop(), toDestination?.stop()]);
});

test('between a worker and the broker: another takes over, and nothing is lost', async () => {
  const [, cutOff] = run.workers;
  await run.fault('worker–broker cut for 10 s', ['delivery'], async () => {
    toBroker.way = 'cut';
    await delay(10_000);
    toBroker.way = 'open';
  });
  await run.fault('worker–broker silent for 12 s, SIGTERM meanwhile', ['delivery'], async () => {
    toBroker.way = 'silent';
    const silentAtMs = Date.now();
    await delay(12_000);
    // Before that the broker gives its customers to nobody else. Its lease ends earlier, at 0.6 × the session time-out.
    await run.receiver.caughtUp();
    const late = run.receiver.requests.filter(
      ({ worker, atMs }) => worker === cutOff?.name && atMs > silentAtMs + SESSION_MS,
    );
    expect(late).toEqual([]);
    const ending = cutOff?.terminate();
    await delay(500);
    toBroker.way = 'open';
    expect((await ending)?.tookMs).toBeLessThan(ENDS_WITHIN_MS);
  });
  await run.fault('worker–broker slow (100 ms a packet) for 10 s', ['delivery'], async () => {
    toBroker.way = { delayMs: 100 };
    await delay(10_000);
    await run.flowing();
    toBroker.way = 'open';
  });
});

test('between the workers and the destination: what fails is tried again, and nothing is lost', async () => {
  for (const way of ['cut', 'silent'] as const) {
    await run.fault(`destination ${way} for 8 s, SIGTERM meanwhile`, ['delivery'], async () => {
      toDestination.way = way;
      await delay(4_000);
      expect((await run.workers[0]?.terminate())?.exit).toBe(0);
      await delay(4_000);
      toDestination.way = 'open';
    });
  }
  await run.fault('destination slow (300 ms a packet) for 8 s', ['delivery'], async () => {
    toDestination.way = { delayMs: 300 };
    await delay(8_000);
    toDestination.way = 'open';
  });
  expectKept(await run.finish());
});
