/** A stated limit per second is kept in every second, and used. Customers share a worker, not their limits. */
import { rootCauseEvent } from '../harness/events.ts';
import { Receiver } from '../harness/receiver.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.start();
});

const events = (company: string, count: number) => Array.from({ length: count }, () => rootCauseEvent({ company }));

test('no second sees more than the limit, and an unlimited neighbour is not slowed', async () => {
  const [limited, free] = [freshName('limited'), freshName('free')];
  const [slow, fast] = await Promise.all([Receiver.start(), Receiver.start()]);
  await stage.subscribe(limited, slow.url, { ratePerSecond: 10 });
  await stage.subscribe(free, fast.url);
  await stage.upstream.produce([...events(limited, 100), ...events(free, 300)]);
  await fast.waitFor(({ accepted }) => accepted === 300);
  expect(slow.accepted).toBeLessThan(100);
  await slow.waitFor(({ accepted }) => accepted === 100);

  const atMs = slow.requests.map(({ receivedAtMs }) => receivedAtMs).sort((a, b) => a - b);
  const inTheSecondFrom = (startMs: number) => atMs.filter((ms) => ms >= startMs && ms < startMs + 1_000).length;
  // A tenth of a second's worth may be saved up, and a busy machine delivers what it sent evenly in small clumps.
  expect(Math.max(...atMs.map(inTheSecondFrom))).toBeLessThanOrEqual(10 + 1 + 3);
});
