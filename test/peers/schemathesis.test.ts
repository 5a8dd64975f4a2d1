/** The API against its own description, asked by Schemathesis: every operation, with good data and bad. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Tokens } from '@databridge/control-plane/api/tokens';
import { KeyRing } from '@databridge/kernel/key-ring';
import type { Platform } from '@databridge/local-platform/platform';
import { readMachineConfig } from '@databridge/local-platform/platform-config';
import { startJvmPlatform } from '@databridge/local-platform/platform-jvm';
import { type ControlPlane, startControlPlane } from '../harness/control-plane.ts';
import { FETCH_TIMEOUT_MS } from '../harness/peers/peers-cache.ts';
import { python } from '../harness/peers/python.ts';
import { ADDRESSES_VARIABLE } from '../harness/running-platform.ts';

const CASES_AN_OPERATION = process.env['SCHEMATHESIS_CASES'] ?? '15';
const operator = Tokens.generate('ann', 'operator');
let kafka: Platform;
let plane: ControlPlane;
let program: (name: string) => string;
let dir: string;

beforeAll(async () => {
  program = await python();
  dir = await mkdtemp(join(tmpdir(), 'databridge-schemathesis-'));
  kafka = await startJvmPlatform(readMachineConfig(process.env));
  process.env[ADDRESSES_VARIABLE] = JSON.stringify([{ brokers: kafka.brokers, registryUrl: kafka.registryUrl }]);
  // That no token, and a wrong one, are refused is asked of each operation.
  const env = { DATABRIDGE_KEYS: KeyRing.generate('test'), API_MAX_FAILURES: '1000000' };
  plane = await startControlPlane([operator], env);
}, FETCH_TIMEOUT_MS);
afterAll(async () => {
  await kafka?.stop();
  await rm(dir, { recursive: true, force: true });
});

/**
 * Rules across fields, and those of URLs, certificates and CEL, are beyond JSON Schema: what the schema takes for good
 * may be refused with 422 there. Each such rule has tests of its own. A key "__proto__" is refused as no JSON, with 400.
 */
const SETTINGS = `
[[operations]]
include-path-regex = "^/v1/(subscriptions/[^/]+|subscriptions/[^/]+/(comparisons|secrets/[^/]+|rewinds|test)|filters/try)$"
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 401, 403, 404, 409, 412, 422, 428]
`;

test('Schemathesis finds nothing, with all its checks', async () => {
  const config = join(dir, 'schemathesis.toml');
  const report = join(dir, 'report.xml');
  await writeFile(config, SETTINGS);
  const args = [
    ...['--config-file', config, 'run', `${plane.url}/openapi.json`],
    ...['--url', plane.url.replace(/\/v1$/, ''), '--header', `Authorization: Bearer ${operator.token}`],
    ...['--checks', 'all', '--max-examples', CASES_AN_OPERATION, '--seed', '1', '--continue-on-failure', '--no-color'],
    // Streams without an end: nothing is to be seen of them in time. test/flow/api.test.ts reads them.
    ...['--exclude-path-regex', '/live$'],
    ...['--report', 'junit', '--report-junit-path', report],
  ];
  const run = promisify(execFile)(program('schemathesis'), args, { cwd: dir, maxBuffer: 64 << 20 });
  const { stdout, code } = await run.then(
    (done) => ({ ...done, code: 0 }),
    (failed: { stdout: string; code: number }) => failed,
  );
  await writeFile(join(tmpdir(), 'schemathesis.txt'), stdout);
  const summary = stdout.slice(stdout.indexOf('FAILURES') === -1 ? -2_000 : stdout.indexOf('FAILURES'));
  expect({ code, summary: code === 0 ? '' : summary.slice(0, 6_000) }).toEqual({ code: 0, summary: '' });
  const [, tests = '0'] = /<testsuite [^>]*tests="(\d+)"/.exec(await readFile(report, 'utf8')) ?? [];
  expect(Number(tests)).toBeGreaterThan(20);
}, 600_000);
