/** Hostile tenant: its endpoint answers with floods. The other customers' deliveries stay as fast as they were. */
import { type ChildProcess, fork } from 'node:child_process';
import { deliveryTopic } from '@databridge/schemas/records/topics';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { SteadyLoad } from '../harness/load/steady-load.ts';
import { METERED } from '../harness/load/turns.ts';
import { Stage } from '../harness/stage.ts';

const KINDS = [
  'header lines without end',
  'a header line without end',
  'early hints without end',
  'thousands of tiny chunks',
  'tiny chunks, one write each',
  'a chunk extension without end',
  'headers that drip',
  'a body that drips',
  'tiny frames over HTTP/2',
  'pings over HTTP/2',
];
/** Of each round. What fails is tried again after a second. */
const HOSTILE_EVENTS = 1_000;
/** So that events which are accepted last for as long as the healthy customer is measured. */
const MAX_PER_SECOND = 300;
/** Of each round, or the comparison proves nothing: as many as may be in flight at once. */
const MIN_ATTEMPTS = 64;

let stage: Stage;
let servers: ChildProcess;
let healthy: SteadyLoad;
const servedAt = new Map<string, { readonly port: number; readonly ca?: string }>();

beforeAll(async () => {
  stage = await Stage.start({ delivery: { ...METERED, RETRY_PLAN: '1s*150,2s*2' } });
  servers = fork(new URL('hostile-servers.ts', import.meta.url), [], { execArgv: [] });
  await new Promise<void>((resolve) => {
    servers.on('message', (message) => {
      const [name, port, ca] = message as [string, number, string?];
      servedAt.set(name, { port, ...(ca !== undefined && { ca }) });
      if (servedAt.size === KINDS.length) resolve();
    });
  });
  healthy = await SteadyLoad.start(stage);
}, 180_000);

afterAll(() => {
  servers.kill();
});

test.each(KINDS)(
  '%s',
  async (kind) => {
    const customer = kind.replaceAll(/[^a-z]+/g, '-');
    const { port, ca } = servedAt.get(kind) ?? {};
    const url = `${ca === undefined ? 'http' : 'https'}://127.0.0.1:${port}/events`;
    const { delivery } = stage;
    const attempts = async () => attemptsOf(await delivery.metrics(), customer);
    await stage.subscribe(customer, url, {
      ...{ maxInFlight: 64, ratePerSecond: MAX_PER_SECOND, destination: { timeoutMs: 2_000 }, state: 'paused' },
      ...(ca !== undefined && { tls: { ca } }),
    });
    const events = Array.from({ length: HOSTILE_EVENTS }, () => rootCauseEvent({ company: customer }));
    let before = 0;
    const compared = await healthy.compare(
      {
        async begin() {
          await stage.upstream.produce(events);
          await eventually(
            () => stage.lag(customer, deliveryTopic(customer)),
            (lag) => lag >= HOSTILE_EVENTS,
          );
          before = await attempts();
          await (await stage.api()).act(customer, 'resume');
          await eventually(attempts, (count) => count > before);
        },
        async end() {
          await eventually(attempts, (count) => count >= before + MIN_ATTEMPTS);
          await stage.pause([customer]);
        },
      },
      delivery,
    );
    process.stderr.write(`  ${kind}: ${JSON.stringify(compared)}, ${await attempts()} hostile attempts\n`);
    expect(compared).toEqual({ ...compared, isWithinBounds: true });
    expect(stage.delivery.pid).toBe(delivery.pid);
    expect(delivery.otherOutput).toEqual([]);
    expect(delivery.logs.filter(({ level }) => level === 'fatal')).toEqual([]);
  },
  240_000,
);

/** Whatever came of them. */
function attemptsOf(metrics: string, customer: string): number {
  const lines = metrics.split('\n').filter((line) => line.startsWith('databridge_delivery_attempts_total{'));
  const own = lines.filter((line) => line.includes(`customer="${customer}"`));
  return own.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
