/** The measures as text: a table for the terminal, and the tables and plot of docs/performance.md. */

import { readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { styleText } from 'node:util';
import Table from 'cli-table3';
import { format, formatTarget, type Measure, median, spread, type Verdict, verdictOf } from './measure.ts';
import { plot } from './plot.ts';

const DOCUMENT = new URL('../../docs/performance.md', import.meta.url);
const JSON_FILE = new URL('../../docs/performance.json', import.meta.url);
const PLOT_FILE = new URL('../../docs/performance.svg', import.meta.url);
/** What the command writes stands between these; the rest of the page is written by hand. */
const BEGIN = '<!-- Written by `npm run bench`: -->';
const END = '<!-- End of what `npm run bench` writes. -->';

export interface Result {
  /** When, as `YYYY-MM-DD`. */
  readonly date: string;
  readonly command: string;
  readonly machine: string;
  readonly node: string;
  readonly seconds: number;
  readonly measures: readonly Measure[];
}

export function describeMachine(): string {
  const [first] = cpus();
  const cores = `${cpus().length} cores${first?.model ? ` (${first.model.trim()})` : ''}`;
  return `${cores}, ${Math.round(totalmem() / 2 ** 30)} GiB of memory, ${process.platform}`;
}

const COLOURS = {
  met: 'green',
  missed: 'yellow',
  'far off': 'red',
  'not measured': 'red',
  'no target': 'dim',
} as const;

export function terminalTable(measures: readonly Measure[]): string {
  const table = new Table({
    head: ['row', 'what', 'median', 'spread', 'unit', 'target', ''],
    style: { head: ['bold'], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  let lastRow = '';
  for (const measure of measures) {
    const verdict = verdictOf(measure);
    const row = measure.row === lastRow ? '' : measure.row;
    lastRow = measure.row;
    table.push([row, ...cells(measure), styleText(COLOURS[verdict], shown(verdict))]);
  }
  const notes = measures.flatMap(({ row, name, note }) => (note === undefined ? [] : [`${row}, ${name}: ${note}`]));
  return [table.toString(), ...notes].join('\n');
}

function markdownTable(measures: readonly Measure[]): string {
  const lines = measures.map((measure) => {
    const note = measure.note === undefined ? '' : ` (${measure.note})`;
    const [name, ...rest] = cells(measure);
    return `| ${[measure.row, `${name}${note}`, ...rest, shown(verdictOf(measure))].join(' | ')} |`;
  });
  return ['| row | what | median | spread | unit | target | |', '|---|---|--:|---|---|---|---|', ...lines].join('\n');
}

function cells({ name, values, unit, target }: Measure): string[] {
  return [name, values.length === 0 ? '–' : format(median(values)), spread(values), unit, formatTarget(target)];
}

function shown(verdict: Verdict): string {
  return verdict === 'no target' ? '' : verdict;
}

/** Puts some rows that were measured anew in the place of those in the documents. */
export async function updateDocuments({ measures }: Result): Promise<void> {
  const written = JSON.parse(await readFile(JSON_FILE, 'utf8')) as Result;
  const rows = [...new Set([...written.measures, ...measures].map(({ row }) => row))];
  const latest = (row: string) => [measures, written.measures].map((all) => all.filter((one) => one.row === row));
  const merged = rows.flatMap((row) => latest(row).find((found) => found.length > 0) ?? []);
  await writeDocuments({ ...written, measures: merged });
}

/** Puts the result into docs/performance.md and beside it. */
export async function writeDocuments(result: Result): Promise<void> {
  const { date, command, machine, node, seconds, measures } = result;
  const page = await readFile(DOCUMENT, 'utf8');
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${DOCUMENT.pathname} has no place for the results`);
  const about = `\`${command}\` on ${date}: ${machine}, Node ${node}, in ${Math.round(seconds / 60)} minutes.`;
  const results = [
    BEGIN,
    about,
    '![How much of each target is reached](performance.svg)',
    markdownTable(measures),
    'The same as data: [performance.json](performance.json).',
  ].join('\n\n');
  await writeFile(DOCUMENT, `${page.slice(0, begin)}${results}\n\n${page.slice(end)}`);
  await writeFile(JSON_FILE, `${JSON.stringify(result, undefined, 2)}\n`);
  await writeFile(PLOT_FILE, plot(measures));
}
