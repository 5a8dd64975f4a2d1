/** `npm run test:simulation [runs] [first seed]`: prints the seed of whatever does not hold, and ends with 1. */
import process from 'node:process';
import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import { Schedule } from './schedule.ts';

const runs = Number(process.argv[2] ?? 100_000);
const firstSeed = Number(process.argv[3] ?? 1);
const steps = 60;
const startedAtMs = performance.now();

for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
  try {
    await new Schedule(seed).run(steps);
  } catch (error) {
    process.stdout.write(`seed ${seed}: ${(error as Error).message}\n`);
    process.exit(1);
  }
  // What the schedule left for the event loop would otherwise be kept to the end.
  await eventLoopTurn();
  const done = seed - firstSeed + 1;
  if (done % 10_000 === 0) process.stdout.write(`${done} schedules\n`);
}
const seconds = (performance.now() - startedAtMs) / 1_000;
const { user, system } = process.cpuUsage();
const cpuMsEach = ((user + system) / 1_000 / runs).toFixed(2);
const took = `in ${seconds.toFixed(0)} s, ${cpuMsEach} ms of processor time each`;
process.stdout.write(`${runs} schedules from seed ${firstSeed} held, ${took}\n`);
