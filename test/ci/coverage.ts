/**
 * `npm run coverage`: how much of the source the unit tests run, as V8 counted it (`NODE_V8_COVERAGE`). What needs a broker
 * is measured by guarantees (ARCHITECTURE.md), not by lines. Fails below the floor.
 */

import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** In percent of the lines with code; CONTRIBUTING states them, and a test compares. The other packages have none. */
export const FLOORS: Readonly<Record<string, number>> = {
  schemas: 90,
  'services/kernel': 55,
  'services/fan-out': 78,
  'services/delivery': 71,
  'services/control-plane': 65,
  'services/cli': 57,
};

/** A range of a script that ran `count` times, in characters; ranges inside it count for themselves. */
interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}
export interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly Range[] }[];
}

/** @returns for each line whether it ran; undefined for a line without code. Node strips types in place, so offsets fit. */
export function linesRun(source: string, script: ScriptCoverage | undefined): (boolean | undefined)[] {
  const hasRun = new Uint8Array(source.length);
  const ranges = (script?.functions ?? []).flatMap((one) => one.ranges);
  // Outer ranges first: the innermost one decides.
  const outerFirst = ranges.toSorted((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
  for (const { startOffset, endOffset, count } of outerFirst) hasRun.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  let offset = 0;
  return source.split('\n').map((line) => {
    const start = offset + line.length - line.trimStart().length;
    offset += line.length + 1;
    const isCode = /\w/.test(line) && !/^\s*(\/\/|\/?\*|import |export \* |\} from )/.test(line);
    return isCode ? hasRun[start] === 1 : undefined;
  });
}

/** @returns lines that ran and lines with code, by package */
function measure(root: string, directory: string): Map<string, { run: number; all: number }> {
  const byUrl = new Map<string, ScriptCoverage>();
  for (const file of readdirSync(directory)) {
    const { result } = JSON.parse(readFileSync(join(directory, file), 'utf8')) as { result: ScriptCoverage[] };
    // Jest's own process counts: the one with the most functions of a script ran the tests.
    for (const script of result) {
      const known = byUrl.get(script.url);
      if (known === undefined || known.functions.length < script.functions.length) byUrl.set(script.url, script);
    }
  }
  const packages = new Map<string, { run: number; all: number }>();
  for (const file of globSync('{schemas,services/*}/src/**/*.ts', { cwd: root })) {
    if (/\.test\.ts$|\.fixture\.ts$|-fixture\.ts$|pinned-schemas\.ts$/.test(file)) continue;
    const lines = linesRun(readFileSync(join(root, file), 'utf8'), byUrl.get(pathToFileURL(join(root, file)).href));
    const name = file.slice(0, file.indexOf('/src/'));
    const sum = packages.get(name) ?? { run: 0, all: 0 };
    packages.set(name, sum);
    for (const hasRun of lines) {
      sum.all += Number(hasRun !== undefined);
      sum.run += Number(hasRun === true);
    }
  }
  return packages;
}

function main(): void {
  const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
  const directory = mkdtempSync(join(tmpdir(), 'databridge-coverage-'));
  try {
    const jest = ['--selectProjects', 'unit', '--runInBand', '--forceExit', '--silent'];
    const { status } = spawnSync('npm', ['test', '--', ...jest], {
      ...{ cwd: root, stdio: 'inherit' },
      env: { ...process.env, NODE_V8_COVERAGE: directory },
    });
    if (status !== 0) process.exitCode = 1;
    for (const [name, { run, all }] of measure(root, directory)) {
      const percent = (100 * run) / all;
      const floor = FLOORS[name] ?? 0;
      const isBelow = percent < floor;
      if (isBelow) process.exitCode = 1;
      const text = `${name.padEnd(26)} ${percent.toFixed(1).padStart(5)} % of ${all} lines`;
      console.log(isBelow ? `${text}, BELOW THE FLOOR of ${floor} %` : text);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

if (import.meta.main) main();
