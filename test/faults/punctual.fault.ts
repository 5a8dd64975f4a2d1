/**
 * 10,000 retries are held until they are due, and none is early. How late they are is only told: the bench holds that
 * against its target (`punctuality`), and here it would say how busy the machine was.
 */
import { decodeAttempts } from '@databridge/schemas/records/attempts';
import { readDeliveryHeaders } from '@databridge/schemas/records/headers';
import { ATTEMPTS_TOPIC, retryTopic } from '@databridge/schemas/records/topics';
import { FaultRun } from './fault-run.ts';

const HELD = 10_000;
const DELAY_MS = 45_000;
/** For a slow machine; then some fail a second time before the last has failed once. */
const ALL_FAIL_WITHIN_MS = 400_000;

let run: FaultRun;

beforeAll(async () => {
  run = await FaultRun.start({
    scenario: '10,000 held retries',
    customers: 1,
    workers: 1,
    // So many a second that all fail before the first comes due again.
    eventsPerSecond: 400,
    delivery: { RETRY_PLAN: '45s*100', BREAKER_MIN_ATTEMPTS: '100000' },
  });
});
afterAll(() => run?.close());

test('all are made, and none is early', async () => {
  const [customer] = run.customers as [string];
  run.receiver.behave({ kind: 'refuse', status: 503, delayMs: 1 });
  const failedSoFar = () => run.receiver.requests.length - run.receiver.acceptedAtMs.length;
  await run.until(() => failedSoFar() >= HELD, ALL_FAIL_WITHIN_MS);
  run.receiver.behave({ kind: 'accept', delayMs: 1 });
  const report = await run.finish();
  expect(report.lost).toBe(0);

  const dueMs = new Map<string, number>();
  for (const { timestampMs, headers } of await run.stage.read(retryTopic(customer, '45s'))) {
    const { eventId, attempt } = readDeliveryHeaders(headers);
    dueMs.set(`${eventId} ${attempt + 1}`, timestampMs + DELAY_MS);
  }
  const batches = (await run.stage.read(ATTEMPTS_TOPIC)).map(({ value }) => decodeAttempts(value ?? Buffer.alloc(0)));
  const lateMs = batches
    .flatMap((batch) => batch?.attempts ?? [])
    .flatMap(({ eventId, attempt, at }) => {
      const due = dueMs.get(`${eventId} ${attempt}`);
      return due === undefined ? [] : [at - due];
    })
    .toSorted((a, b) => a - b);
  const percentile = (share: number) => lateMs[Math.floor(share * (lateMs.length - 1))] as number;
  const told = {
    retries: lateMs.length,
    firstMs: lateMs[0],
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
    lastMs: lateMs.at(-1),
  };
  process.stderr.write(`  attempt − due: ${JSON.stringify(told)}\n`);
  expect(lateMs.length).toBeGreaterThanOrEqual(HELD);
  expect(told.firstMs).toBeGreaterThanOrEqual(0);
});
