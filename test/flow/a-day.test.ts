/** The promise of 24 hours and 185 attempts, with the real code and the real broker, by a clock that jumps ahead. */

import { decodeStatus } from '@databridge/schemas/records/status';
import { deadTopic, deliveryTopic, STATUS_TOPIC } from '@databridge/schemas/records/topics';
import { DEFAULT_RETRY_PLAN } from '@databridge/schemas/retries/retry-plan';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { JumpClock } from '../harness/jump-clock.ts';
import { Receiver } from '../harness/receiver.ts';
import { startDeliveryHere } from '../harness/services/delivery-here.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** The default plan's waits: 3 × (10 s + 1 min + 5 min) + 175 × 7 min 45 s. */
const DELAYS_MS = [
  ...Array<number>(3).fill(10_000),
  ...Array<number>(3).fill(MINUTE_MS),
  ...Array<number>(3).fill(5 * MINUTE_MS),
  ...Array<number>(175).fill(465_000),
];

const clock = new JumpClock();
let stage: Stage;

beforeAll(async () => {
  // The stage's own worker would run on real time.
  stage = await Stage.start();
  await stage.delivery.stop();
  await startDeliveryHere(stage, clock, {
    RETRY_PLAN: DEFAULT_RETRY_PLAN,
    COMMIT_INTERVAL: '1ms',
    // Reports and status records at an interval would be jumped to while a retry is on its way to its lane, over and
    // over, and the day would pass in that time.
    REPORT_INTERVAL: '100h',
    STATUS_INTERVAL: '100h',
    // The breaker runs on real time, in which a day of failures is a few seconds.
    BREAKER_MIN_ATTEMPTS: '100000',
  });
});

/** Jumps to what the lanes wait for, until `isOver`. Nothing else waits for a second or longer, and at most an hour. */
async function runAhead(isOver: () => Promise<boolean> | boolean): Promise<void> {
  await eventually(
    async () => {
      const waitMs = clock.untilNextTimerMs();
      if (waitMs !== undefined && waitMs >= 1_000 && waitMs <= HOUR_MS) clock.jump(waitMs);
      return isOver();
    },
    (over) => over,
    180_000,
    2,
  );
}

async function disabledBecause(customer: string): Promise<string | undefined> {
  const records = await stage.read(STATUS_TOPIC);
  const last = records.filter(({ key }) => key?.toString() === customer).at(-1);
  return last?.value ? decodeStatus(last.value)?.disabledBecause : undefined;
}

test('an endpoint that is down gets 185 attempts over 22 h 55 min, none early, and is then disabled; nothing is lost', async () => {
  const customer = freshName('down');
  const atMs: number[] = [];
  const receiver = await Receiver.start(() => {
    atMs.push(clock.nowMs());
    return { status: 503 };
  });
  await stage.subscribe(customer, receiver.url);
  await stage.upstream.produce([rootCauseEvent({ company: customer })]);
  await runAhead(() => atMs.length >= 185);
  expect(
    await eventually(
      () => disabledBecause(customer),
      (because) => because !== undefined,
    ),
  ).toMatch(/exhausted/);
  expect(atMs).toHaveLength(185);

  const waitsMs = atMs.slice(1).map((ms, i) => ms - (atMs[i] as number));
  const early = waitsMs.filter((waitMs, i) => waitMs < (DELAYS_MS[i] as number));
  expect(early).toEqual([]);
  const spanMs = (atMs.at(-1) as number) - (atMs[0] as number);
  expect(spanMs).toBeGreaterThan(22.9 * HOUR_MS);
  expect(spanMs).toBeLessThan(24 * HOUR_MS);
  expect(await stage.read(deadTopic(customer))).toHaveLength(0);

  receiver.script = () => ({});
  await (await stage.api()).act(customer, 'enable');
  await runAhead(() => receiver.accepted === 1);
});

test('attempts that take ten minutes each end with the day, not with the count', async () => {
  const customer = freshName('slow');
  const atMs: number[] = [];
  const receiver = await Receiver.start(() => {
    atMs.push(clock.nowMs());
    clock.jump(10 * MINUTE_MS);
    return { status: 503 };
  });
  await stage.subscribe(customer, receiver.url);
  await stage.upstream.produce([rootCauseEvent({ company: customer })]);
  let because: string | undefined;
  await runAhead(async () => {
    because =
      (atMs.at(-1) ?? 0) + 10 * MINUTE_MS - (atMs[0] ?? 0) >= 24 * HOUR_MS
        ? await disabledBecause(customer)
        : undefined;
    return because !== undefined;
  });
  expect(because).toMatch(/exhausted/);
  const lastEndedMs = (atMs.at(-1) as number) + 10 * MINUTE_MS - (atMs[0] as number);
  expect(lastEndedMs).toBeGreaterThanOrEqual(24 * HOUR_MS);
  // Decided after a failed attempt only: the one before it had ended within the day.
  expect((atMs.at(-2) as number) + 10 * MINUTE_MS - (atMs[0] as number)).toBeLessThan(24 * HOUR_MS);
  expect(atMs.length).toBeLessThan(185);
  const [event] = await stage.read(deliveryTopic(customer));
  expect(event).toBeDefined();
});
