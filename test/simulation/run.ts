/** `npm run test:simulation [runs] [first seed]`: prints the seed of whatever does not hold, and ends with 1. */
import process from 'node:process';
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
  const done = seed - firstSeed + 1;
  if (done % 10_000 === 0) process.stdout.write(`${done} schedules\n`);
}
const seconds = (performance.now() - startedAtMs) / 1_000;
process.stdout.write(`${runs} schedules from seed ${firstSeed} held, in ${seconds.toFixed(0)} s\n`);
