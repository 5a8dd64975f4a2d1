/** `databridge doctor`: says that all is well when it is, and otherwise what is wrong and what to do. */

import { runProgram } from '@databridge/cli/program';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { VERSION } from '@databridge/kernel/version';
import { deliveryTopic, WORKERS_TOPIC } from '@databridge/schemas/records/topics';
import { encodeWorkerReport } from '@databridge/schemas/records/workers';
import { eventually } from '../harness/eventually.ts';
import { Receiver } from '../harness/receiver.ts';
import { type ControlPlane, startControlPlane } from '../harness/services/control-plane.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

interface Finding {
  readonly check: string;
  readonly verdict: string;
  readonly detail: string;
  readonly advice?: string;
}

const operator = Tokens.generate('ann', 'operator');
let stage: Stage;
let plane: ControlPlane;
const customer = freshName('patient');
const report = {
  ...{ version: VERSION, startedAtMs: Date.now(), intervalMs: 60_000 },
  ...{ partitions: [], customers: [], failing: [] },
};

beforeAll(async () => {
  stage = await Stage.start({ delivery: { REPORT_INTERVAL: '500ms', SESSION_TIMEOUT: '6s', WORKER_NAME: 'real' } });
  const eventTypes = { EVENT_TYPES: `root-cause=${stage.upstream.topic}` };
  plane = await startControlPlane([operator], { DATABRIDGE_KEYS: stage.keys, ...eventTypes });
  const receiver = await Receiver.start();
  await stage.subscribe(customer, receiver.url);
});
afterAll(() => plane?.service.stop());

const examination = async () => {
  const { status, body } = await plane.call('GET', '/doctor');
  expect(status).toBe(200);
  return body as { isHealthy: boolean; findings: Finding[] };
};
const faults = async () => (await examination()).findings.filter(({ verdict }) => verdict === 'fault');
const says = (check: string, detail: RegExp) => (found: readonly Finding[]) =>
  found.some((one) => one.check === check && detail.test(one.detail) && one.advice !== undefined);
const write = (worker: string, more: object | null) =>
  stage.operations.producer.send([
    {
      topic: WORKERS_TOPIC,
      key: worker,
      value: more === null ? null : encodeWorkerReport({ ...report, worker, at: Date.now(), ...more }),
    },
  ]);

/** The command's exit code and what it prints. */
async function doctor(): Promise<{ code: number; out: string }> {
  const written: string[] = [];
  const spy = jest.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    written.push(String(chunk));
    return true;
  });
  try {
    const env = { DATABRIDGE_URL: plane.url.replace(/\/v1$/, ''), DATABRIDGE_TOKEN: operator.token };
    return { code: await runProgram(['doctor'], env), out: written.join('') };
  } finally {
    spy.mockRestore();
  }
}

test('of a healthy installation, every check is ok', async () => {
  const found = await eventually(examination, ({ isHealthy }) => isHealthy, 60_000);
  expect(found.findings.map(({ check, verdict }) => `${check} ${verdict}`)).toEqual(
    [
      ...[
        'kafka',
        'brokers',
        'topics',
        'rights',
        'groups',
        'workers',
        'customers',
        'keys',
        'clocks',
        'versions',
        'settings',
      ],
      'registry',
    ].map((check) => `${check} ok`),
  );
  const { code, out } = await doctor();
  expect(code).toBe(0);
  expect(out).toMatch(/^ok {7}clocks/m);
  expect(out).toMatch(/Nothing is wrong\.\n$/);
});

test('it names a worker with another clock, another version and other keys', async () => {
  await write('stranger', { at: Date.now() - 3_600_000, version: '0.0.1', keyIds: ['other'] });
  const secret = freshName('sealed');
  const body = {
    ...{ eventTypes: ['root-cause'], match: { company: [secret] } },
    destination: { type: 'http', url: (await Receiver.start()).url },
    authentication: { type: 'api-key', name: 'x-key', key: 'k-1' },
  };
  expect(await plane.call('PUT', `/subscriptions/${secret}`, { body })).toMatchObject({ status: 201 });
  const found = await eventually(faults, says('keys', /^Worker stranger has no key "test"/));
  expect(says('clocks', /^The clock of worker stranger is 360\d\.\d s behind/)(found)).toBe(true);
  expect(says('versions', /worker stranger runs 0\.0\.1/)(found)).toBe(true);
  await write('stranger', null);
  await eventually(faults, (now) => now.length === 0, 60_000);
});

test('it names a topic with settings that lose the order of retries, and nothing once they are mended', async () => {
  const topic = deliveryTopic(customer);
  await stage.admin.changeTopicSettings([topic], { 'message.timestamp.type': 'CreateTime' });
  await eventually(faults, says('topics', /has message\.timestamp\.type=CreateTime, and needs LogAppendTime/));
  await stage.admin.changeTopicSettings([topic], { 'message.timestamp.type': 'LogAppendTime' });
  await eventually(faults, (now) => now.length === 0, 60_000);
});

test('two workers of one name are named: by the doctor, among the workers, and in the log of each', async () => {
  const twin = await stage.anotherWorker({ REPORT_INTERVAL: '500ms', SESSION_TIMEOUT: '6s', WORKER_NAME: 'real' });
  await eventually(faults, says('workers', /^Two workers are named real/), 60_000);
  const { items } = (await plane.call('GET', '/workers')).body;
  expect(items).toEqual([expect.objectContaining({ worker: 'real', hasNamesake: true })]);
  const isTold = ({ msg }: { msg?: unknown }) => /same WORKER_NAME/.test(String(msg));
  expect(await twin.waitForLog(isTold)).toMatchObject({ level: 'error', worker: 'real' });
  expect(await stage.delivery.waitForLog(isTold)).toMatchObject({ level: 'error', worker: 'real' });
  expect(await twin.stop()).toBe(0);
  await eventually(faults, (now) => now.length === 0, 60_000);
});

test('it names a fan-out that does not run, a dead worker and customers that nobody runs', async () => {
  await stage.fanOut.stop();
  await stage.delivery.kill();
  const found = await eventually(faults, says('customers', new RegExp(customer)), 60_000);
  expect(says('workers', /^Worker real is dead/)(found)).toBe(true);
  expect(says('groups', /^No fan-out service is a member/)(found)).toBe(true);
  const { code, out } = await doctor();
  expect(code).toBe(1);
  expect(out).toMatch(/^WRONG {4}workers {4}Worker real is dead.*\n {20}Start it again/m);
  expect(out).toMatch(/things are wrong/);
});
