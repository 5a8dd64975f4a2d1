/** Hostile tenant: its endpoint answers with floods. The other customers' deliveries stay as fast as they were. */
import { setInterval as every } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { rootCauseEvent } from '../harness/events.ts';
import { Receiver } from '../harness/receiver.ts';
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
];
const EVENTS = 150;
const INTERVAL_MS = 25;
const HOSTILE_EVENTS = 200;
/** A busy machine may disturb one comparison; a hostile customer that gets through disturbs each. */
const ROUNDS = 3;

let stage: Stage;
let servers: Worker;
let healthy: Receiver;
const ports = new Map<string, number>();
let round = 0;

beforeAll(async () => {
  // No breaker: it would end the flood after 20 attempts.
  stage = await Stage.start({ delivery: { BREAKER_MIN_ATTEMPTS: '100000', RETRY_PLAN: '1s*150,2s*2' } });
  servers = new Worker(new URL('./hostile-servers.ts', import.meta.url));
  await new Promise<void>((resolve) => {
    servers.on('message', ([name, port]: [string, number]) => {
      ports.set(name, port);
      if (ports.size === KINDS.length) resolve();
    });
  });
  healthy = await Receiver.start();
  await stage.subscribe('healthy', healthy.url);
  await healthyP99();
}, 180_000);

afterAll(async () => {
  await servers.terminate();
});

/** Produces events at a steady rate. @returns the 99th percentile of the time until each is received, in ms */
async function healthyP99(): Promise<number> {
  round += 1;
  const producedAtMs = new Map<string, number>();
  let nth = 0;
  for await (const _ of every(INTERVAL_MS)) {
    const id = `healthy-${round}-${nth}`;
    producedAtMs.set(id, Date.now());
    await stage.upstream.produce([rootCauseEvent({ company: 'healthy' })], { 'event-id': id });
    nth += 1;
    if (nth === EVENTS) break;
  }
  const isReceived = (id: string) => healthy.timesById.has(id);
  await healthy.waitFor(() => [...producedAtMs.keys()].every(isReceived));
  const times = healthy.requests
    .filter(({ id }) => producedAtMs.has(id))
    .map(({ id, receivedAtMs }) => receivedAtMs - (producedAtMs.get(id) ?? 0))
    .sort((a, b) => a - b);
  expect(times).toHaveLength(EVENTS);
  return times[Math.floor(times.length * 0.99)] ?? Number.POSITIVE_INFINITY;
}

test.each(KINDS)(
  '%s',
  async (kind) => {
    const customer = kind.replaceAll(/[^a-z]+/g, '-');
    const url = `http://127.0.0.1:${ports.get(kind)}/events`;
    const { pid } = stage.delivery;
    const seen: string[] = [];
    for (let attempt = 1; attempt <= ROUNDS; attempt++) {
      const name = `${customer}-${attempt}`;
      const alone = await healthyP99();
      await stage.subscribe(name, url, { maxInFlight: 64, destination: { timeoutMs: 2_000 } });
      await stage.upstream.produce(Array.from({ length: HOSTILE_EVENTS }, () => rootCauseEvent({ company: name })));
      const beside = await healthyP99();
      const before = attemptsOf(await stage.delivery.metrics(), name);
      await (await stage.api()).act(name, 'pause');
      // Otherwise the comparison proves nothing.
      expect(before).toBeGreaterThan(0);
      seen.push(`alone ${alone} ms, beside ${beside} ms (${before} hostile attempts)`);
      if (beside <= Math.max(alone * 1.5, alone + 50)) break;
      expect(`round ${attempt}: ${seen.join('; ')}`).not.toMatch(`round ${ROUNDS}`);
    }
    process.stderr.write(`${kind}: ${seen.join('; ')}\n`);
    expect(stage.delivery.pid).toBe(pid);
    expect(stage.delivery.otherOutput).toEqual([]);
    expect(stage.delivery.logs.filter(({ level }) => level === 'fatal')).toEqual([]);
    expect(healthy.repeats).toBe(0);
  },
  240_000,
);

/** Whatever came of them. */
function attemptsOf(metrics: string, customer: string): number {
  const lines = metrics.split('\n').filter((line) => line.startsWith('databridge_delivery_attempts_total{'));
  const own = lines.filter((line) => line.includes(`customer="${customer}"`));
  return own.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
