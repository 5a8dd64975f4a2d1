/** Three workers that join and leave every few seconds, each in good order. */
import { setTimeout as delay } from 'node:timers/promises';
import { expectKept, FaultRun } from './fault-run.ts';

let run: FaultRun;

beforeAll(async () => {
  run = await FaultRun.start({ scenario: '3 workers come and go', customers: 6, workers: 3 });
});
afterAll(() => run?.close());

const ROUNDS = 8;

test('who leaves in good order leaves nothing behind, and who joins repeats nothing', async () => {
  await run.fault(`a worker leaves and comes back every 2.5 s, ${ROUNDS} times`, ['delivery'], async () => {
    for (let round = 0; round < ROUNDS; round++) {
      expect((await run.workers[round % 3]?.terminate())?.exit).toBe(0);
      await delay(2_500);
    }
  });
  expectKept(await run.finish());
});
