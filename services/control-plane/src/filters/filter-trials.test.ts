import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { tryFilter } from './filter-trial-thread.ts';
import { FilterTrials } from './filter-trials.ts';

const trial = (filter: string, event: unknown = { statusCode: 200 }) => ({
  filter,
  eventType: 'root-cause',
  document: JSON.stringify({ event }),
});

/** A thread that works for ever on "hang", fills its memory on "fill", and answers all else. */
async function wildThread(): Promise<URL> {
  const file = join(await mkdtemp(join(tmpdir(), 'trial-')), 'thread.mjs');
  await writeFile(
    file,
    `import { parentPort } from 'node:worker_threads';
     parentPort.on('message', ({ filter }) => {
       while (filter === 'hang');
       const kept = [];
       while (filter === 'fill') kept.push(new Array(100_000).fill(kept.length));
       if (filter === 'throw') throw new Error('thrown');
       parentPort.postMessage({ kind: 'matches' });
     });
     parentPort.postMessage('ready');`,
  );
  return pathToFileURL(file);
}

test('a filter is tried in a thread', async () => {
  const trials = new FilterTrials();
  try {
    const answers = ['event.statusCode == 200', 'event.statusCode == 500', 'event.sumary == 1', '1 / 0 == 1'].map(
      (one) => trials.run(trial(one)),
    );
    expect(await Promise.all(answers)).toMatchObject([
      { kind: 'matches' },
      { kind: 'differs' },
      { kind: 'invalid', mistake: expect.stringContaining('sumary') },
      { kind: 'failed' },
    ]);
  } finally {
    await trials.stop();
  }
});

test.each([
  ['hang', /more than 300 ms/],
  ['fill', /128 MiB/],
  ['throw', /thrown/],
])('what a trial does (%s) ends that trial and no other', async (filter, why) => {
  const trials = new FilterTrials({ timeLimitMs: filter === 'hang' ? 300 : 60_000, maxThreads: 1 }, await wildThread());
  try {
    const bad = trials.run(trial(filter));
    const next = trials.run(trial('true'));
    await expect(bad).rejects.toMatchObject({ code: 'DB_TRIAL_STOPPED', message: expect.stringMatching(why) });
    expect(await next).toEqual({ kind: 'matches' });
  } finally {
    await trials.stop();
  }
});

test('more trials than may wait are refused, and a stop ends those that wait', async () => {
  const trials = new FilterTrials({ maxThreads: 1, maxWaiting: 1 }, await wildThread());
  const [running, waiting] = [trials.run(trial('hang')), trials.run(trial('true'))];
  await expect(trials.run(trial('true'))).rejects.toMatchObject({ code: 'DB_TRIALS_BUSY' });
  const ends = expect(Promise.allSettled([running, waiting])).resolves.toMatchObject([
    { reason: { code: 'DB_TRIAL_STOPPED' } },
    { reason: { code: 'DB_TRIAL_STOPPED' } },
  ]);
  await trials.stop();
  await ends;
});

test.each([
  ['9007199254740993', 'event.statusCode == 9007199254740993', 'matches'],
  ['9007199254740993', 'event.statusCode == 9007199254740992', 'differs'],
  ['-9223372036854775808', 'event.statusCode == -9223372036854775807 - 1', 'matches'],
])('a whole number keeps its digits: %s and %s', (number, filter, kind) => {
  const document = `{"event":{"statusCode":${number}}}`;
  expect(tryFilter({ filter, eventType: 'root-cause', document })).toMatchObject({ kind });
});
