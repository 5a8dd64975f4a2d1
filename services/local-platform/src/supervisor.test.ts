import { once } from 'node:events';
import { mkdtemp, rm, watch, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { failureIn, restartDelayMs, Supervised } from './supervisor.ts';

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

  async function start(program: string, hasSpare = false): Promise<void> {
    const isReady = async () => lines.includes('up');
    const main = join(dir, 'main.mjs');
    await writeFile(main, program);
    lines.length = 0;
    supervised = new Supervised({
      name: 'child',
      main: pathToFileURL(main),
      env: process.env,
      isReady,
      onLine(line) {
        lines.push(line);
        output.dispatchEvent(new Event('line'));
      },
      hasSpare,
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
    await start('console.log("up"); setTimeout(() => process.exit(3), 500);');
    await supervised.ready;
    await line('up', 2);
    expect(lines).toContain('ended unexpectedly (exit code 3); starting it again in 1 s');
  });

  test('that ends before it is ready is not started again, and its last error is the reason', async () => {
    const fatal = JSON.stringify({ level: 'fatal', msg: 'listen EADDRINUSE: address already in use 127.0.0.1:8080' });
    await start(`console.log('starting'); console.log('${fatal}'); process.exitCode = 1;`);
    await expect(supervised.ready).rejects.toThrow(
      'child did not start: listen EADDRINUSE: address already in use 127.0.0.1:8080 (exit code 1)',
    );
    expect(lines.filter((one) => one === 'starting')).toHaveLength(1);
  });

  test('is replaced at once, also when it did not start', async () => {
    await start('console.log("up"); setInterval(() => {}, 1000);');
    await supervised.ready;
    supervised.replace(5_000);
    await line('up', 2);
    await line('restarted: ready after ');
    await writeFile(join(dir, 'main.mjs'), 'console.log("broken"); process.exitCode = 1;');
    supervised.replace(5_000);
    await line('broken');
    await writeFile(join(dir, 'main.mjs'), 'console.log("mended"); setInterval(() => {}, 1000);');
    supervised.replace(5_000);
    await line('mended');
  });

  test('is replaced by a spare, which runs the source as it is then, once, and is gone after a stop', async () => {
    await start('console.log("up"); setInterval(() => {}, 1000);', true);
    await supervised.ready;
    await writeFile(join(dir, 'main.mjs'), 'console.log(`changed ${process.ppid}`); setInterval(() => {}, 1000);');
    supervised.replace(5_000);
    await line('restarted: ready after ');
    await line('changed');
    expect(lines.filter((one) => one.startsWith('changed'))).toEqual([`changed ${process.pid}`]);
    await supervised.stop();
    expect(lines.filter((one) => one === 'up')).toHaveLength(1);
  });

  test('has its changed source loaded by the spare while it stops, and once more if that changes meanwhile', async () => {
    const release = join(dir, 'release');
    await start(
      `import { existsSync } from 'node:fs';
       process.once('SIGTERM', () => setInterval(() => existsSync('${release}') && process.exit(0), 10));
       setInterval(() => {}, 1000);
       console.log('up');`,
      true,
    );
    await supervised.ready;
    await writeFile(
      join(dir, 'main.mjs'),
      `import { part } from './part.mjs';\nconsole.log(part); setInterval(() => {}, 1000);`,
    );
    const loaded = `import { writeFileSync } from 'node:fs';\nwriteFileSync('${join(dir, 'loaded')}', '');`;
    await writeFile(join(dir, 'part.mjs'), `${loaded}\nexport const part = 'first';`);
    const changes = watch(dir);
    supervised.replace(60_000);
    for await (const { filename } of changes) if (filename === 'loaded') break;
    await writeFile(join(dir, 'part.mjs'), `export const part = 'second';`);
    supervised.replace(60_000);
    await writeFile(release, '');
    await line('second');
    expect(lines).not.toContain('first');
  });

  test('is killed when it takes longer than the grace period', async () => {
    await start(`process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up');`);
    await supervised.ready;
    await supervised.stop(10);
    expect(lines).toContain('stopped (SIGKILL)');
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

test.each([
  [
    '{"level":"fatal","msg":"The configuration has 1 mistake:\\n  API_PORT: is wrong"}',
    'The configuration has 1 mistake: API_PORT: is wrong',
  ],
  ['{"level":"error","msg":"Kafka is unavailable"}', undefined],
  ['{"level":', undefined],
  ['DatabridgeError: The configuration has 1 mistake:', 'The configuration has 1 mistake:'],
  ["Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'zod'", "Cannot find package 'zod'"],
  ['a line of something else', undefined],
])('the failure in a line: %s', (line, failure) => {
  expect(failureIn(line)).toBe(failure);
});
