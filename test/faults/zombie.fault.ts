/**
 * A worker is frozen past its session time-out and comes back: it has been replaced. It must send nothing, commit
 * nothing, and not undo a rewind made meanwhile.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { groupEmpty } from '@databridge/control-plane/operations/group-empty';
import { deliveryGroup, deliveryTopic } from '@databridge/schemas/records/topics';
import { eventually } from '../harness/eventually.ts';
import { expectKept, FaultRun } from './fault-run.ts';
import type { KeptService } from './kept-service.ts';

let run: FaultRun;

beforeAll(async () => {
  run = await FaultRun.start({ scenario: 'SIGSTOP past the session time-out, SIGCONT', workers: 1 });
});
afterAll(() => run?.close());

const SESSION_MS = 6_000;

/** So many events are delivered once more by the rewind. */
const REWOUND = 500;

/** What a worker sent from then on that its receiver saw. */
const sentBy = (worker: KeptService, sinceMs: number) =>
  run.receiver.requests.filter((request) => request.worker === worker.name && request.atMs > sinceMs);

test('its successor takes over, and the zombie sends and commits nothing', async () => {
  const [first] = run.workers as [KeptService];
  // A destination that takes its time: when the worker freezes, requests are under way.
  run.receiver.behave({ kind: 'accept', delayMs: 50 });
  const second = await run.addWorker();
  await run.fault('one of two workers frozen, thawed', ['delivery'], async () => {
    first.process?.freeze();
    // What lay in the sockets when it froze has arrived.
    await run.receiver.caughtUp();
    const frozenAtMs = Date.now();
    await run.sample();
    await delay(SESSION_MS + 4_000);
    await run.flowing();
    const thawedAtMs = Date.now();
    // A moment later for the signal itself; nothing may follow.
    expect(sentBy(first, frozenAtMs + 500)).toEqual([]);
    first.process?.thaw();
    // Its customers have another owner: the zombie hands over what it held, and learns what it owns now.
    await run.flowing();
    await first.process?.waitForLog(({ time }) => Date.parse(time) > thawedAtMs, 120_000);
    await run.receiver.caughtUp();
    const early = sentBy(first, thawedAtMs);
    // It may own customers again later, by a join; what it sends before its first one would be a zombie's.
    expect(early.filter(({ atMs }) => atMs < thawedAtMs + 50)).toEqual([]);
  });
  await second.end();
  run.workers.pop();
  await run.flowing();
});

test('a rewind made while the only worker is frozen stays in effect', async () => {
  const [worker] = run.workers as [KeptService];
  const customer = run.customers[0] as string;
  const topic = deliveryTopic(customer);
  const committed = async () => {
    const offsets = await run.stage.admin.committedOffsets(deliveryGroup(customer));
    return offsets.find((one) => one.topic === topic)?.offset ?? 0;
  };
  await eventually(committed, (offset) => offset > REWOUND, 300_000, 200);
  await run.rewind(customer, async () => {
    worker.process?.freeze();
    // As a rewind does: the frozen worker's place is cleared as soon as it is no longer among the workers.
    await groupEmpty(run.stage.admin, customer, 120_000);
    const rewoundFrom = await committed();
    const target = rewoundFrom - REWOUND;
    await run.stage.admin.setOffsets(deliveryGroup(customer), [{ topic, partition: 0, offset: target, metadata: '' }]);
    worker.process?.thaw();
    return { from: target, to: rewoundFrom };
  });
  expect((await run.workers[0]?.terminate())?.exit).toBe(0);
  expectKept(await run.finish());
});
