import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { restartDelayMs, Supervised } from './supervisor.ts';

test('a child that keeps failing is started ever more rarely, up to every 30 s', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 100].map(restartDelayMs)).toEqual([
    1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
  ]);
});

describe('a supervised process', () => {
  let dir: string;
  let supervised: Supervised;
  const lines: string[] = [];
  const output = new EventTarget();

  async function start(program: string): Promise<void> {
    const main = join(dir, 'main.mjs');
    await writeFile(main, program);
    lines.length = 0;
    supervised = new Supervised({
      name: 'child',
      main: pathToFileURL(main),
      env: process.env,
      onLine(line) {
        lines.push(line);
        output.dispatchEvent(new Event('line'));
      },
    });
    supervised.start();
  }

  async function line(text: string, times = 1): Promise<void> {
    while (lines.filter((one) => one.includes(text)).length < times) await once(output, 'line');
  }

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'databridge-supervisor-'));
  });

  afterEach(async () => {
    supervised.kill();
    await rm(dir, { recursive: true, force: true });
  });

  test('is started again after it ended by itself', async () => {
    await start('console.log("up"); process.exitCode = 3;');
    await line('up', 2);
    expect(lines).toContain('ended unexpectedly (exit code 3); starting it again in 1 s');
  });

  test('may finish its work when it is stopped', async () => {
    await start(`
      process.once('SIGTERM', () => setTimeout(() => { console.log('finished'); process.exit(0); }, 50));
      setInterval(() => {}, 1000);
      console.log('up');`);
    await line('up');
    await supervised.stop();
    expect(lines).toContain('stopped (exit code 0)');
    // What it wrote may be read after its end.
    await line('finished');
  });
});
