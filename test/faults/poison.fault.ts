/** Producers flood the intake with poison, of every kind that stopped fan-out once. Nobody's events are late or lost for it. */
import { setTimeout as delay } from 'node:timers/promises';
import { limitBatchBytes } from '@databridge/kernel/kafka/kafkajs/expansion';
import { EXPANDED_BYTES, startFlood } from '../harness/load/poison.ts';
import { expectKept, FaultRun } from './fault-run.ts';

const MEASURED_MS = 10_000;
const NOISE_MS = 50;
/** On a machine that others use, delays say nothing. */
const QUIET_MS = 150;

let run: FaultRun;

beforeAll(async () => {
  run = await FaultRun.start({ scenario: 'a flood of poison', fanOuts: 2 });
});
afterAll(() => run?.close());

/** Resolves after some seconds. @returns the time in between */
async function window(): Promise<{ fromMs: number; toMs: number }> {
  const fromMs = Date.now();
  await delay(MEASURED_MS);
  return { fromMs, toMs: Date.now() };
}

/** From the append to the intake until the destination has it. @returns the 99th percentile, in ms */
async function p99(windows: readonly { fromMs: number; toMs: number }[]): Promise<number[]> {
  // The test reads what fan-out puts aside.
  limitBatchBytes(2 * EXPANDED_BYTES);
  const records = await run.stage.read(run.stage.upstream.topic);
  const arrivals = new Map(run.receiver.requests.toReversed().map(({ id, atMs }) => [id, atMs]));
  return windows.map(({ fromMs, toMs }) => {
    const delays = records
      .filter(({ timestampMs, key }) => timestampMs >= fromMs && timestampMs < toMs && arrivals.has(String(key)))
      .map(({ timestampMs, key }) => (arrivals.get(String(key)) ?? 0) - timestampMs)
      .sort((a, b) => a - b);
    expect(delays.length).toBeGreaterThan(100);
    return delays[Math.floor(0.99 * (delays.length - 1))] as number;
  });
}

test('a flood delays and loses nothing, also when a fan-out and a worker end in the middle of it', async () => {
  const alone = await window();
  let beside = alone;
  await run.fault('a flood of poison; then SIGKILL of a fan-out and SIGTERM of a worker', ['fan-out'], async () => {
    const flood = await startFlood(run.stage.upstream.topic);
    beside = await window();
    await run.fanOuts[0]?.kill();
    await run.struck();
    expect((await run.workers[0]?.terminate())?.exit).toBe(0);
    await run.flowing();
    // Two of each kind at the least: on a busy machine the flood's process hardly runs.
    expect(await flood.stop()).toBeGreaterThanOrEqual(14);
  });
  const [aloneMs = 0, besideMs = 0] = await p99([alone, beside]);
  process.stderr.write(`  p99 ${aloneMs} ms alone, ${besideMs} ms beside the flood\n`);
  expectKept(await run.finish());
  if (aloneMs <= QUIET_MS) expect(besideMs).toBeLessThanOrEqual(Math.max(1.5 * aloneMs, aloneMs + NOISE_MS));
});
