/** A stated limit per second is kept in every second, and used. Customers share a worker, not their limits. */
import { decodeAttempts } from '@databridge/schemas/records/attempts';
import { ATTEMPTS_TOPIC } from '@databridge/schemas/records/topics';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { Receiver } from '../harness/receiver.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.start();
});

const events = (company: string, count: number) => Array.from({ length: count }, () => rootCauseEvent({ company }));

test('no second sees more than the limit, and an unlimited neighbor is not slowed', async () => {
  const [limited, free] = [freshName('limited'), freshName('free')];
  const [slow, fast] = await Promise.all([Receiver.start(), Receiver.start()]);
  await stage.subscribe(limited, slow.url, { ratePerSecond: 10 });
  await stage.subscribe(free, fast.url);
  await stage.upstream.produce([...events(limited, 300), ...events(free, 300)]);
  await fast.waitFor(({ accepted }) => accepted === 300);
  expect(slow.accepted).toBeLessThan(300);
  await slow.waitFor(({ accepted }) => accepted >= 100);

  // As the worker tells it: a busy machine receives in clumps what was sent evenly.
  const sentAt = async () => {
    const batches = (await stage.read(ATTEMPTS_TOPIC)).map(({ value }) => decodeAttempts(value ?? Buffer.alloc(0)));
    return batches.flatMap((batch) => (batch?.customer === limited ? batch.attempts : [])).map(({ at }) => at);
  };
  const atMs = await eventually(sentAt, ({ length }) => length >= 100);
  const inTheSecondFrom = (startMs: number) => atMs.filter((ms) => ms >= startMs && ms < startMs + 1_000).length;
  // A tenth of a second's worth may be saved up.
  expect(Math.max(...atMs.map(inTheSecondFrom))).toBeLessThanOrEqual(10 + 1);
  const spanMs = (slow.requests[99]?.receivedAtMs ?? 0) - (slow.requests[0]?.receivedAtMs ?? 0);
  expect(spanMs).toBeGreaterThan(8_000);
});
