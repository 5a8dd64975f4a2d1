/** Random schedules of faults against the real core: `npm run test:simulation` runs as many as you like, here a few. */
import { Schedule } from './schedule.ts';

const RUNS = 60;
const STEPS = 60;

test('whatever happens, nothing is lost, nothing is early, and repeats are explained by faults', async () => {
  for (let seed = 1; seed <= RUNS; seed++) {
    await new Schedule(seed).run(STEPS).catch((error: Error) => {
      throw new Error(`seed ${seed}: ${error.message}`, { cause: error });
    });
  }
}, 600_000);
