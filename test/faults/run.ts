/**
 * `npm run test:faults [-- --write] [names, flags of jest]`: every scenario one after the other, each on a platform of its own, and
 * the table of what came of them. `--write` puts the table into docs/guarantees.md.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { FaultReport, SkippedReport } from './fault-run.ts';
import { tableOf } from './table.ts';

/** The whole run, for one that hangs: it takes some 25 minutes on two cores with nothing else to do. */
const MAX_MINUTES = 90;
const DOCUMENT = fileURLToPath(new URL('../../docs/guarantees.md', import.meta.url));
const BETWEEN = /(<!-- fault runs: begin -->\n)[\s\S]*?(<!-- fault runs: end -->)/;

const args = process.argv.slice(2);
const reportsDir = await mkdtemp(join(tmpdir(), 'databridge-faults-'));
const startedAtMs = performance.now();

const exitCode = await runScenarios(args.filter((arg) => arg !== '--write'));
const reports = await readReports();
const minutes = ((performance.now() - startedAtMs) / 60_000).toFixed(1);
process.stdout.write(`\n${tableOf(reports)}\n\n${reports.length} scenarios in ${minutes} min\n`);
if (args.includes('--write')) await writeTable(tableOf(reports));
await rm(reportsDir, { recursive: true });
process.exitCode = exitCode;

async function runScenarios(namesAndFlags: readonly string[]): Promise<number> {
  const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
  const config = fileURLToPath(new URL('jest.config.js', import.meta.url));
  const child = spawn(process.execPath, [jest, '--config', config, '--runInBand', '--forceExit', ...namesAndFlags], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, FAULT_REPORTS: reportsDir },
  });
  const overdue = setTimeout(() => {
    process.stderr.write(`not done within ${MAX_MINUTES} min: ended\n`);
    child.kill('SIGKILL');
  }, MAX_MINUTES * 60_000);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearTimeout(overdue);
  return code ?? 1;
}

async function readReports(): Promise<(FaultReport | SkippedReport)[]> {
  const files = (await readdir(reportsDir)).filter((name) => name.endsWith('.json'));
  return Promise.all(files.map(async (name) => JSON.parse(await readFile(join(reportsDir, name), 'utf8'))));
}

async function writeTable(table: string): Promise<void> {
  const document = await readFile(DOCUMENT, 'utf8');
  if (!BETWEEN.test(document)) throw new Error(`${DOCUMENT} has no place for the table`);
  await writeFile(DOCUMENT, document.replace(BETWEEN, `$1\n${table}\n\n$2`));
}
