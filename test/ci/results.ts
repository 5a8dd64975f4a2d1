/**
 * What CI makes of jest's results: which files are worth another run, and what came of everything in the end.
 *
 *   node test/ci/results.ts again <directory> <run>   the files to run once more, one a line; none if it was no chance
 *   node test/ci/results.ts slowest <directory>       the tests that took longest, with their times
 *   node test/ci/results.ts total <directory>         all runs as one line; exits with 1 if anything failed
 *
 * The directory contains `<run>.json`, as jest writes it, and `<run>.again.json` of the files that were run once more.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** As many may have met a machine that stood still. More are no accident. */
const MAX_AGAIN = 3;
const MAX_SLOWEST = 20;

export interface FileResult {
  readonly file: string;
  readonly passed: number;
  /** What each test that failed said. A file that could not be loaded has no tests, and one failure all the same. */
  readonly failures: readonly string[];
}

export interface TimedTest {
  readonly file: string;
  readonly name: string;
  readonly ms: number;
}

interface JestFile {
  readonly name: string;
  readonly status: string;
  readonly message: string;
  readonly assertionResults: readonly {
    readonly status: string;
    readonly failureMessages: readonly string[];
    readonly fullName?: string;
    /** In ms; null for a test that did not run. */
    readonly duration?: number | null;
  }[];
}

/** A file that ran in two projects is one. */
export function filesOf(json: string): FileResult[] {
  const files = new Map<string, { file: string; passed: number; failures: string[] }>();
  for (const { name, status, message, assertionResults } of JSON.parse(json).testResults as JestFile[]) {
    const file = relative(process.cwd(), name);
    const one = files.get(file) ?? { file, passed: 0, failures: [] };
    const failed = assertionResults.filter((test) => test.status === 'failed');
    one.passed += assertionResults.filter((test) => test.status === 'passed').length;
    one.failures.push(...failed.map(({ failureMessages }) => failureMessages.join('\n')));
    if (status === 'failed' && failed.length === 0) one.failures.push(message);
    files.set(file, one);
  }
  return [...files.values()];
}

/** @returns the tests that took longest, the slowest first */
export function slowest(jsons: readonly string[], most: number): TimedTest[] {
  const files = jsons.flatMap((json) => JSON.parse(json).testResults as JestFile[]);
  const tests = files.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ fullName = '', duration }) => ({
      file: relative(process.cwd(), name),
      name: fullName,
      ms: duration ?? 0,
    })),
  );
  return tests.sort((a, b) => b.ms - a.ms).slice(0, most);
}

/** A peer that can't be fetched from here says nothing about us. */
const isMissingPeer = (text: string) => /The peer "[^"]*" can.t be had/.test(text);

/** A fault run in which something took too long. What was lost, early or repeated too often is no chance. */
const isLate = (text: string) => /no event came through in time|: not within \d+ ms|was not ready within/.test(text);

/** What waits for no broker and no machine: chance has no part in it but what a random test's seed has. */
const isUnitTest = (file: string) =>
  !/^test\/(contract|flow|journeys|portal|peers|tenants|containers|faults)\/|\.(contract|peer)\.test\.ts$/.test(file);

/** @returns the files to run once more: none if too many failed, or a unit test, or if a fault run did worse than to be late */
export function worthAnotherRun(run: string, files: readonly FileResult[]): string[] {
  const failed = files
    .map(({ file, failures }) => ({ file, failures: failures.filter((text) => !isMissingPeer(text)) }))
    .filter(({ failures }) => failures.length > 0);
  const mayBeChance =
    !failed.some(({ file }) => isUnitTest(file)) &&
    (run !== 'faults' || failed.every(({ failures }) => failures.every(isLate)));
  return mayBeChance && failed.length <= MAX_AGAIN ? failed.map(({ file }) => file) : [];
}

/** @param again of what was run once more, which counts instead of the first */
export function outcome(first: readonly FileResult[], again: readonly FileResult[]) {
  const seconds = new Map(again.map((one) => [one.file, one]));
  let [passed, failed] = [0, 0];
  const remarks: string[] = [];
  for (const before of first) {
    const last = seconds.get(before.file) ?? before;
    const notRun = last.failures.filter(isMissingPeer);
    passed += last.passed;
    failed += last.failures.length - notRun.length;
    const hasFailed = before.failures.some((text) => !isMissingPeer(text));
    if (hasFailed && last.failures.length === notRun.length) {
      remarks.push(
        `FLAKY: ${before.file} failed, and passed when run once more. Its first failure is above: find out why.`,
      );
    }
    if (notRun.length > 0) {
      const peer = /The peer[^\n]*/.exec(notRun.join('\n'))?.[0];
      remarks.push(`NOT run, for want of the peer: ${notRun.length} tests of ${before.file}: ${peer}`);
    }
  }
  return { passed, failed, remarks };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [command, directory = '', run = ''] = process.argv.slice(2);
  const read = (name: string) => {
    const path = join(directory, `${name}.json`);
    return existsSync(path) ? filesOf(readFileSync(path, 'utf8')) : [];
  };
  if (command === 'again') {
    process.stdout.write(worthAnotherRun(run, read(run)).join('\n'));
  } else if (command === 'slowest') {
    const jsons = readdirSync(directory).map((name) => readFileSync(join(directory, name), 'utf8'));
    for (const { file, name, ms } of slowest(jsons, MAX_SLOWEST)) {
      process.stdout.write(`${(ms / 1_000).toFixed(1).padStart(8)} s  ${file}: ${name}\n`);
    }
  } else {
    const runs = readdirSync(directory).filter((name) => !name.includes('.again.'));
    const all = runs.map((name) => name.replace('.json', '')).map((name) => outcome(read(name), read(`${name}.again`)));
    const sum = (count: 'passed' | 'failed') => all.reduce((total, one) => total + one[count], 0);
    for (const { remarks } of all) for (const remark of remarks) process.stdout.write(`${remark}\n`);
    process.stdout.write(`${sum('passed')} passed, ${sum('failed')} failed\n`);
    process.exitCode = sum('failed') > 0 || sum('passed') === 0 ? 1 : 0;
  }
}
