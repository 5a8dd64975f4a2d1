/** `docker-compose.yml` as somebody uses it who has just cloned the repository. The tests follow on each other. */
import { execFile } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePorts } from '@databridge/local-platform/free-port';
import { eventually } from '../harness/eventually.ts';

const [KAFKA_PORT, REGISTRY_PORT, API_PORT] = await freePorts(3);
const project = `databridge-test-${randomBytes(4).toString('hex')}`;
const cwd = fileURLToPath(new URL('../../', import.meta.url));
const env = {
  ...process.env,
  KAFKA_PORT: String(KAFKA_PORT),
  REGISTRY_PORT: String(REGISTRY_PORT),
  API_PORT: String(API_PORT),
  // Seconds instead of hours, or the last of those that fail now and then takes minutes.
  RETRY_PLAN: '2s*3,5s*3,30s*10',
  RETRY_WINDOW: '10m',
  // Not the one of a project that somebody has running.
  CUSTOMERS_SUBNET: `172.30.${randomInt(256)}.0/24`,
};
const LOAD = 15_000;

/** @throws with what it printed, if it fails */
const compose = async (...args: string[]): Promise<string> => {
  const options = { cwd, env, maxBuffer: 64 * 1024 * 1024 };
  try {
    return (await promisify(execFile)('docker', ['compose', '-p', project, ...args], options)).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`docker compose ${args.join(' ')} failed:\n${stderr}\n${stdout}`);
  }
};
const demo = (...options: string[]) => compose('run', '--rm', '-T', ...options, 'demo');

beforeAll(async () => {
  await compose('build', '--quiet');
  await compose('up', '--wait');
}, 900_000);

afterAll(async () => {
  await compose('--profile', 'demo', 'down', '--volumes', '--timeout', '5');
}, 120_000);

test('all of it is healthy', async () => {
  const list = (await compose('ps', '--format', '{{.Service}} {{.Health}}')).trim().split('\n').sort();
  expect(list).toEqual(
    ['control-plane', 'delivery-1', 'delivery-2', 'fan-out', 'kafka', 'receiver', 'registry'].map(
      (service) => `${service} healthy`,
    ),
  );
});

test('the demo settles its books', async () => {
  expect(await demo()).toContain('300 = 300');
}, 300_000);

test('a delivery worker has the key ring and no token of the API', async () => {
  const files = await compose('exec', '-T', 'delivery-1', 'sh', '-c', 'ls -R /run/databridge* 2>/dev/null');
  expect(files).toContain('delivery.keys');
  expect(files).not.toMatch(/token|credentials/);
});

test('the API knows the operator by the token that was made, and nobody else', async () => {
  const token = (await compose('exec', '-T', 'control-plane', 'cat', '/run/databridge/operator-token')).trim();
  const ask = (authorization: string) =>
    fetch(`http://127.0.0.1:${API_PORT}/v1/subscriptions`, { headers: { authorization } });
  expect((await ask('Bearer nobody')).status).toBe(401);
  const { items } = (await (await ask(`Bearer ${token}`)).json()) as { items: { customer: string }[] };
  // Those of the demo.
  expect(items).toHaveLength(3);
  expect(await compose('exec', '-T', 'control-plane', 'databridge', 'status')).toContain(items[0]?.customer);
});

test('the worker that has the load is killed: the other delivers the rest, and the books settle', async () => {
  const running = demo('-e', `DEMO_LOAD=${LOAD}`);
  running.catch(() => undefined); // Waited for below.
  const workers = ['delivery-1', 'delivery-2'] as const;
  const counts = () => Promise.all(workers.map(async (worker) => ({ worker, count: await deliveredBy(worker) })));
  const found = await eventually(counts, (all) => all.some(({ count }) => count > 500), 120_000);
  const owner = found.find(({ count }) => count > 500);
  expect(owner?.count).toBeLessThan(LOAD);
  await compose('kill', owner?.worker ?? '');

  expect(await running).toContain(`${LOAD + 300} = ${LOAD + 300}`);
  expect(await deliveredBy(workers.find((worker) => worker !== owner?.worker) ?? 'delivery-1')).toBeGreaterThan(0);
  await compose('up', '--wait');
}, 600_000);

test('data survive a restart of everything, and down and up', async () => {
  const before = await books();
  expect(before.customers.length).toBeGreaterThan(0);
  await compose('restart', '--timeout', '40');
  await compose('up', '--wait');
  expect(await books()).toEqual(before);
  await compose('down', '--timeout', '40');
  await compose('up', '--wait');
  expect(await books()).toEqual(before);
}, 600_000);

test('no secret is in what the containers show of themselves', async () => {
  const ids = (await compose('ps', '-aq')).trim().split('\n');
  const { stdout } = await promisify(execFile)('docker', ['inspect', ...ids]);
  const keys = await compose('exec', '-T', 'delivery-1', 'cat', '/run/databridge-keys/delivery.keys');
  expect(keys).toMatch(/^local-\d+:opening:/);
  expect(stdout).not.toContain(keys.trim().split(':')[2]);
  const token = await compose('exec', '-T', 'control-plane', 'cat', '/run/databridge/operator-token');
  expect(stdout).not.toContain(token.trim());
});

/** How many events of the load this worker delivered since it started. */
async function deliveredBy(worker: string): Promise<number> {
  const ask = "console.log(await (await fetch('http://127.0.0.1:8080/metrics')).text())";
  const metrics = await compose('exec', '-T', worker, 'node', '--input-type=module', '-e', ask).catch(() => '');
  const line = metrics
    .split('\n')
    .find(
      (one) => one.startsWith('databridge_delivery_attempts_total{') && /hooli.*delivered|delivered.*hooli/.test(one),
    );
  return Number(line?.split(' ').at(-1) ?? 0);
}

/** What must not change: how many events each customer was written, and the schema's id. */
async function books() {
  const text = await compose('exec', '-T', 'control-plane', 'databridge', 'reconcile', '--json');
  const accounts = JSON.parse(text) as { customer: string; written: number; unaccounted: unknown[] }[];
  const url = `http://127.0.0.1:${REGISTRY_PORT}/apis/ccompat/v7/subjects/root-cause.events-value/versions/latest`;
  const { id } = (await (await fetch(url)).json()) as { id: number };
  return { customers: accounts.map(({ customer, written, unaccounted }) => ({ customer, written, unaccounted })), id };
}
