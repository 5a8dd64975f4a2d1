/**
 * A hostile producer: poison records come into the intake beside a healthy customer under steady load. Its 99th
 * percentile stays within 1.5 times or 50 ms of its value alone, nothing of it is lost, and fan-out lives.
 */
import { limitBatchBytes } from '@databridge/kernel/kafka/kafkajs/expansion';
import { QUARANTINE_TOPIC } from '@databridge/schemas/records/topics';
import { eventually } from '../harness/eventually.ts';
import { EXPANDED_BYTES, type Flood, startFlood } from '../harness/load/poison.ts';
import { SteadyLoad } from '../harness/load/steady-load.ts';
import { METERED } from '../harness/load/turns.ts';
import { Stage } from '../harness/stage.ts';

// The test reads the intake as well, bombs included; fan-out has a limit of its own.
limitBatchBytes(2 * EXPANDED_BYTES);

test('poison delays no event of a healthy customer, and all of it is in quarantine', async () => {
  const stage = await Stage.start({ fanOut: METERED });
  const healthy = await SteadyLoad.start(stage);
  const { fanOut } = stage;
  let flood: Flood | undefined;
  let poisons = 0;
  const compared = await healthy.compare(
    {
      async begin() {
        flood = await startFlood(stage.upstream.topic);
      },
      async end() {
        poisons += (await flood?.stop()) ?? 0;
      },
    },
    fanOut,
  );
  process.stderr.write(`  ${JSON.stringify(compared)}, ${poisons} poisonous records\n`);
  const inQuarantine = async () => {
    const records = await stage.read(QUARANTINE_TOPIC);
    return records.filter(({ key }) => String(key).startsWith(`${stage.upstream.topic}/`)).length;
  };
  await eventually(inQuarantine, (count) => count >= poisons);
  expect(compared).toEqual({ ...compared, isWithinBounds: true });
  // Two of each kind at the least: on a busy machine the flood's process hardly runs.
  expect(poisons).toBeGreaterThanOrEqual(14);
  expect(fanOut.otherOutput).toEqual([]);
}, 300_000);
