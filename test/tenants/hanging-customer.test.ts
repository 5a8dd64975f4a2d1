/** Hostile tenant: its endpoint takes 19 s for each answer, and it wants 10,000 requests in flight. */
import { Sink } from '@databridge/demo/customers/sink-process';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { SteadyLoad } from '../harness/load/steady-load.ts';
import { METERED } from '../harness/load/turns.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

const WANTED_IN_FLIGHT = 10_000;
/** More than is answered within a test. */
const BACKLOG = 8_000;
const HANGS_MS = 19_000;
/** services/delivery/src/gate/concurrency.ts */
const FIRST_IN_FLIGHT = 32;

let stage: Stage;
let healthy: SteadyLoad;
let endpoint: Sink;

beforeAll(async () => {
  stage = await Stage.start({ delivery: { ...METERED, DRAIN_TIMEOUT: '4s' } });
  endpoint = await Sink.start();
  healthy = await SteadyLoad.start(stage);
});

afterAll(() => endpoint?.stop());

/** A customer with 10,000 requests wanted, and as many events to send once it is resumed. */
async function subscribe(name: string): Promise<void> {
  await stage.subscribe(name, endpoint.url(`/wait-${HANGS_MS}/${name}`), {
    maxInFlight: WANTED_IN_FLIGHT,
    ceilings: { maxInFlight: WANTED_IN_FLIGHT },
    destination: { timeoutMs: 20_000 },
    state: 'paused',
  });
  const value = await stage.upstream.encode(rootCauseEvent({ company: name }));
  await stage.upstream.produceRaw(
    Array.from({ length: BACKLOG }, (_, n) => ({
      key: `${name}-${n}`,
      value,
      headers: { 'event-id': `${name}-${n}` },
    })),
  );
}

test.each([
  { maxConnections: 4_096, hanging: 1 },
  { maxConnections: 4_096, hanging: 3 },
  { maxConnections: 400, hanging: 1 },
])(
  'of $maxConnections connections, $hanging hanging customers with 10,000 wanted leave a healthy one its own',
  async ({ maxConnections, hanging }) => {
    await stage.delivery.stop();
    const worker = await stage.restartDelivery({ MAX_CONNECTIONS: String(maxConnections) });
    const names = Array.from({ length: hanging }, () => freshName('hanging'));
    const opened = async () => {
      const counts = await Promise.all(names.map((name) => endpoint.count(`/wait-${HANGS_MS}/${name}`)));
      return counts.reduce((sum, { requests }) => sum + requests, 0);
    };

    for (const name of names) await subscribe(name);
    const compared = await healthy.compare(
      {
        async begin() {
          const before = await opened();
          for (const name of names) await (await stage.api()).act(name, 'resume');
          // A customer begins with few, and gets more with each answer: what one may borrow in the end is for fair-shares.test.ts.
          await eventually(opened, (count) => count >= before + hanging * FIRST_IN_FLIGHT);
        },
        end: () => stage.pause(names),
      },
      worker,
    );

    expect(compared).toEqual({ ...compared, isWithinBounds: true });
    expect(await worker.metrics()).toContain('databridge_delivery');
    expect(worker.otherOutput).toEqual([]);
    process.stderr.write(`  ${hanging} of ${maxConnections}: ${JSON.stringify(compared)}\n`);
  },
  300_000,
);
