/**
 * A hostile producer: poison records come into the intake beside a healthy customer under steady load. Its 99th
 * percentile stays within 1.5 times or 50 ms of its value alone, nothing of it is lost, and fan-out lives.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { QUARANTINE_TOPIC } from '@databridge/schemas/records/topics';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { floodDuring } from '../harness/poison.ts';
import { Receiver } from '../harness/receiver.ts';
import { Stage } from '../harness/stage.ts';

const PER_SECOND = 40;
const WINDOW_MS = 8_000;
const NOISE_MS = 50;
const NOISE_RATIO = 1.5;
/** Whatever else the machine does slows a window; poison that holds up fan-out slows every one. */
const ROUNDS = 4;

let stage: Stage;
let receiver: Receiver;
const sentAtMs = new Map<string, number>();

test('poison delays no event of a healthy customer, and none is lost', async () => {
  stage = await Stage.start();
  receiver = await Receiver.start();
  await stage.subscribe('healthy', receiver.url);
  await p99Of(WINDOW_MS / 4);
  const rounds: { alone: number; beside: number }[] = [];
  const isKept = ({ alone, beside }: { alone: number; beside: number }) =>
    beside <= Math.max(NOISE_RATIO * alone, alone + NOISE_MS);
  let poisons = 0;
  while (rounds.length < ROUNDS && !rounds.some(isKept)) {
    const alone = await p99Of(WINDOW_MS);
    let beside = 0;
    poisons += await floodDuring(stage.upstream.topic, async () => {
      beside = await p99Of(WINDOW_MS);
    });
    rounds.push({ alone, beside });
  }
  process.stderr.write(`  p99 alone and beside poison, in ms: ${JSON.stringify(rounds)}\n`);
  const inQuarantine = async () => {
    const records = await stage.read(QUARANTINE_TOPIC);
    return records.filter(({ key }) => String(key).startsWith(`${stage.upstream.topic}/`)).length;
  };
  await eventually(inQuarantine, (count) => count >= poisons);
  await p99Of(WINDOW_MS / 4);
  expect(rounds.some(isKept)).toBe(true);
  expect(new Set(receiver.requests.map(({ id }) => id))).toEqual(new Set(sentAtMs.keys()));
}, 300_000);

/** From the acknowledged write into the intake to the request at the destination, of the events sent in that time. */
async function p99Of(forMs: number): Promise<number> {
  const ids: string[] = [];
  const endMs = performance.now() + forMs;
  while (performance.now() < endMs) {
    const event = rootCauseEvent({ company: 'healthy' });
    const id = event.summary.requestid;
    const value = await stage.upstream.encode(event);
    sentAtMs.set(id, Date.now());
    ids.push(id);
    void stage.upstream.produceRaw([{ key: id, value, headers: { 'event-id': id } }]);
    await delay(1_000 / PER_SECOND);
  }
  const arrived = () => new Map(receiver.requests.map(({ id, receivedAtMs }) => [id, receivedAtMs]));
  const at = await eventually(
    async () => arrived(),
    (seen) => ids.every((id) => seen.has(id)),
  );
  const delays = ids.map((id) => (at.get(id) as number) - (sentAtMs.get(id) as number)).sort((a, b) => a - b);
  return delays[Math.floor(0.99 * (delays.length - 1))] as number;
}
