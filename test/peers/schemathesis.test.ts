/** The API against its own description, asked by Schemathesis: every operation, with good data and bad. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { generateKeySet } from '@databridge/kernel/secrets/key-set';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import '../harness/clean-slate.ts';
import { FETCH_TIMEOUT_MS } from '../harness/peers/peers-cache.ts';
import { python } from '../harness/peers/python.ts';
import { type ControlPlane, startControlPlane } from '../harness/services/control-plane.ts';

const CASES_AN_OPERATION = process.env['SCHEMATHESIS_CASES'] ?? '15';
const operator = Tokens.generate('ann', 'operator');
let plane: ControlPlane;
let program: (name: string) => string;
let dir: string;

beforeAll(async () => {
  program = await python();
  dir = await mkdtemp(join(tmpdir(), 'databridge-schemathesis-'));
  // That no token, and a wrong one, are refused is asked of each operation.
  const env = { DATABRIDGE_KEYS: generateKeySet('test').controlPlane, API_MAX_FAILURES: '1000000' };
  plane = await startControlPlane([operator], env);
}, FETCH_TIMEOUT_MS);
afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

/**
 * Rules across fields, and those of URLs, certificates and CEL, are beyond JSON Schema: what the schema takes for good
 * may be refused with 422 there; so are event types and reasons, which the deployment and its records say. Each such rule has
 * tests of its own. A path with a control character is refused with 400. A key "__proto__" is refused as no JSON, with 400.
 */
const SETTINGS = `
[[operations]]
include-path-regex = "^/v1/(subscriptions/[^/]+|subscriptions/[^/]+/(comparisons|secrets/[^/]+|reseals|rehearsals|rewinds|test|redeliveries|attempts|reconciliation|dead-letters/[^/]+|events(/[^/]+(/content)?)?|explanation|filters/try|certificate|certificate-request|approve)|subscriptions/[^/]+/secrets/[^/]+/fallback|erasures|invitations|invitations/[^/]+/(renew|revoke)|operations/[^/]+|events/[^/]+(/explanation)?|filters/try|events|quarantine/(redrives|discards))$"
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 401, 403, 404, 409, 412, 422, 428]
`;

/** Of a customer that is there: what it is asked reaches past "there is no such customer". */
const KNOWN = `
[parameters]
"path.customer" = "acme"
`;

async function run(settings: string, more: readonly string[]): Promise<void> {
  const config = join(dir, 'schemathesis.toml');
  const report = join(dir, 'report.xml');
  await writeFile(config, settings);
  const args = [
    ...['--config-file', config, 'run', `${plane.url}/openapi.json`],
    ...['--url', plane.url.replace(/\/v1$/, ''), '--header', `Authorization: Bearer ${operator.token}`],
    ...['--checks', 'all', '--max-examples', CASES_AN_OPERATION, '--seed', '1', '--continue-on-failure', '--no-color'],
    // Of no concern here is how fast the machine is.
    ...['--request-timeout', '120', '--suppress-health-check', 'too_slow'],
    // Streams without an end: nothing is to be seen of them in time. test/journeys/api.test.ts reads them.
    ...['--exclude-path-regex', '/live$', ...more],
    ...['--report', 'junit', '--report-junit-path', report],
  ];
  const { stdout, code } = await promisify(execFile)(program('schemathesis'), args, {
    cwd: dir,
    maxBuffer: 64 << 20,
  }).then(
    (done) => ({ ...done, code: 0 }),
    (failed: { stdout: string; code: number }) => failed,
  );
  const told = stdout.slice(stdout.indexOf('FAILURES') === -1 ? -2_000 : stdout.indexOf('FAILURES'));
  expect({ code, told: code === 0 ? '' : told.slice(0, 6_000) }).toEqual({ code: 0, told: '' });
  const [, tests = '0'] = /<testsuite [^>]*tests="(\d+)"/.exec(await readFile(report, 'utf8')) ?? [];
  expect(Number(tests)).toBeGreaterThan(10);
}

test('Schemathesis finds nothing, with all its checks', () => run(SETTINGS, []), 1_800_000);

test('nor does it of a customer that is there', async () => {
  const body = {
    eventTypes: ['root-cause'],
    match: 'everything',
    destination: { type: 'http', url: 'http://127.0.0.1:18080/' },
    authentication: { type: 'api-key', name: 'x-key', key: 'sealed-away' },
  };
  expect(await plane.call('PUT', '/subscriptions/acme', { body })).toMatchObject({ status: 201 });
  // What a worker is to do is not answered in time without one: that is what it is to say.
  const isForWorkers = '/(live|test|rehearsals|certificate-request)$';
  const others = ['--include-path-regex', '/subscriptions/', '--exclude-path-regex', isForWorkers];
  await run(KNOWN + SETTINGS, [...others, '--phases', 'coverage,fuzzing']);
}, 1_800_000);
