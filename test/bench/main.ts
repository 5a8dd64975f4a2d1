/** `npm run bench`: measures speed, memory and latency beside what is possible, and says how they stand to the targets. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stopChildren } from '@databridge/demo/child';
import { flameGraph } from './flame-graph.ts';
import { type Measure, verdictOf } from './measure.ts';
import { type CpuProfile, callTree, profileTables } from './profile.ts';
import { describeMachine, type Result, terminalTable, updateDocuments, writeDocuments } from './report.ts';
import { FULL_ONLY, ROWS } from './rows/all.ts';
import { FULL, QUICK, type Scale, TINY } from './scale.ts';

/** Of a row of a quick run that failed: on a busy machine, a slide shows each time, a busy moment does not. */
const MORE_TRIES = 2;

const USAGE = `npm run bench -- [options]
  --quick           a short run, under 5 minutes; writes no documents
  --tiny            shows only that everything works; writes no documents
  --only <rows>     of: ${Object.keys(ROWS).join(', ')}
  --rounds <n>      of the rows that race
  --set <name=n>    a count of scale.ts, such as deliverEvents=20000; several times
  --write           writes the documents, though it is not a full run; with --only, those rows
  --json <file>     also writes the results there
  --profile <dir>   writes CPU profiles of our services there, with a flame graph and tables of each
A full run of all rows writes docs/performance.md and what belongs to it.`;

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    tiny: { type: 'boolean', default: false },
    only: { type: 'string' },
    rounds: { type: 'string' },
    set: { type: 'string', multiple: true, default: [] },
    write: { type: 'boolean', default: false },
    json: { type: 'string' },
    profile: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

async function bench(): Promise<number> {
  const scale = scaleOf();
  const names = options.only?.split(',') ?? Object.keys(ROWS).filter((name) => !options.quick || !FULL_ONLY.has(name));
  const startedAtMs = performance.now();
  const measures: Measure[] = [];
  for (const name of names) {
    const row = ROWS[name];
    if (row === undefined) throw new Error(`there is no row "${name}"\n${USAGE}`);
    const rowStartedAtMs = performance.now();
    const say = (text: string) => console.log(`  ${name}: ${text}`);
    const run = () => measureRow(name, () => row({ scale, profileDir: options.profile, say }));
    let found = await run();
    for (let again = 1; options.quick && !options.write && again <= MORE_TRIES && found.some(isFailure); again++) {
      say('far off, or broken; once more, in case the machine had a busy moment');
      found = await run();
    }
    measures.push(...found);
    say(`${((performance.now() - rowStartedAtMs) / 1_000).toFixed(0)} s`);
  }
  const result: Result = {
    date: new Date().toISOString().slice(0, 10),
    command: ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
    machine: describeMachine(),
    node: process.version,
    seconds: Math.round((performance.now() - startedAtMs) / 1_000),
    measures,
  };
  console.log(`\n${terminalTable(measures)}\n${result.seconds} s on ${result.machine}`);
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(result, undefined, 2)}\n`);
  if (options.profile !== undefined) await describeProfiles(options.profile, scale);
  const isFull = !options.quick && !options.tiny && options.only === undefined && options.profile === undefined;
  if (isFull || options.write) await (options.only === undefined ? writeDocuments : updateDocuments)(result);
  // A busy machine misses targets; only what is far off is a slide for certain.
  return measures.some((measure) => (options.tiny ? broken.has(measure) : isFailure(measure))) ? 1 : 0;
}

/** The flame graph beside each profile, and where its time went. */
async function describeProfiles(directory: string, scale: Scale): Promise<void> {
  const counts: Record<string, [number, string]> = {
    deliver: [scale.deliverEvents, 'a delivery'],
    path: [scale.deliverEvents, 'a delivery'],
    'fan-out': [scale.fanOutEvents, 'an event'],
  };
  for (const file of await readdir(directory)) {
    const [name = '', type] = file.split('.');
    const [count, unit] = counts[name] ?? [];
    if (type !== 'cpuprofile' || count === undefined || unit === undefined) continue;
    const root = callTree(JSON.parse(await readFile(join(directory, file), 'utf8')) as CpuProfile);
    await writeFile(join(directory, `${name}.svg`), flameGraph(root, `${name}: processor time`));
    await writeFile(join(directory, `${name}.md`), `${profileTables(root, count, unit)}\n`);
    console.log(`\n${name}\n${profileTables(root, count, unit)}`);
  }
}

/** What stands for a row that failed. */
const broken = new Set<Measure>();

/** Whose verdict counts: times by the clock tell of whatever else the machine did. They are shown, and decide nothing. */
const TELLING_UNITS = new Set(['×', 'MiB', 'MB', 'retries']);

function isFailure(measure: Measure): boolean {
  return broken.has(measure) || (TELLING_UNITS.has(measure.unit) && verdictOf(measure) === 'far off');
}

/** One that fails takes its own figures away, not those of the others. */
async function measureRow(row: string, run: () => Promise<Measure[]>): Promise<Measure[]> {
  try {
    return await run();
  } catch (error) {
    console.error(error);
    // What the row left running would take the processor from the rows after it.
    await stopChildren('at once');
    const note = (error as Error).message.split('\n')[0] ?? '';
    const measure: Measure = { row, name: 'not measured', unit: '', values: [], note };
    broken.add(measure);
    return [measure];
  }
}

function scaleOf(): Scale {
  const scale: Record<string, unknown> = { ...(options.tiny ? TINY : options.quick ? QUICK : FULL) };
  const changes = [...options.set, ...(options.rounds === undefined ? [] : [`rounds=${options.rounds}`])];
  for (const change of changes) {
    const [name = '', count = ''] = change.split('=');
    if (typeof scale[name] !== 'number' || !/^[1-9]\d*$/.test(count))
      throw new Error(`"${change}" says nothing\n${USAGE}`);
    scale[name] = Number(count);
  }
  return scale as unknown as Scale;
}

if (options.help) console.log(USAGE);
// Whatever a broken row left open must not keep the command from ending.
else process.exit(await bench());
