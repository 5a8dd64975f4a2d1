/** The broker's disk is full: it stops. It gets room, is started again, and all goes on. Needs a small file system. */
import { execFile } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { eventually } from '../harness/eventually.ts';
import { ENDS_WITHIN_MS, expectKept, FaultRun, skipped } from './fault-run.ts';

const SCENARIO = "the broker's disk is full" as const;
const MIB = 1_048_576;
const SIZE_MIB = 512;

const execute = promisify(execFile);
let run: FaultRun | undefined;
let dir: string;
let disk: string;
let isMounted = false;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'databridge-disk-'));
  disk = join(dir, 'kafka');
  await mkdir(disk);
  try {
    await execute('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MIB}m`, 'tmpfs', disk]);
    isMounted = true;
  } catch (error) {
    await skipped(SCENARIO, `a small tmpfs can't be mounted: ${(error as Error).message.trim()}`);
    return;
  }
  run = await FaultRun.start({ scenario: SCENARIO, platform: { dataDir: dir } });
});
afterAll(async () => {
  await run?.close();
  if (isMounted) await execute('umount', [disk]);
  await rm(dir, { recursive: true, force: true });
});

test('when it has room again all goes on, and nothing that was acknowledged is lost', async () => {
  if (!run) return;
  const { platform, workers } = run;
  const [worker] = workers;
  await run.fault(
    'disk full, broker stopped; room, broker started; SIGTERM meanwhile',
    ['delivery', 'fan-out'],
    async () => {
      const filler = join(disk, 'filler');
      await fill(filler);
      await eventually(
        () => isListening(platform.brokers[0] as string),
        (is) => !is,
        300_000,
        250,
      );
      await delay(2_000);
      expect((await worker?.terminate())?.tookMs).toBeLessThan(ENDS_WITHIN_MS);
      await rm(filler);
      await platform.stopBroker('kill');
      await platform.startBroker();
    },
  );
  expectKept(await run.finish());
});

/** To the last byte: the broker may take the room while it is being taken. */
async function fill(file: string): Promise<void> {
  const chunk = Buffer.alloc(MIB);
  for (;;) {
    try {
      await appendFile(file, chunk);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return;
      throw error;
    }
  }
}

function isListening(broker: string): Promise<boolean> {
  const [host, port] = broker.split(':');
  return new Promise((resolve) => {
    const socket = connect(Number(port), host);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
