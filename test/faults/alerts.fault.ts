/**
 * Faults, watched by a real Prometheus and Alertmanager with all durations shortened: exactly the right people hear of
 * exactly the right alerts, the command of the runbook cures what it says, and everything resolves.
 */
import { readFileSync } from 'node:fs';
import { runProgram } from '@databridge/cli/program';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { type JvmPlatform, startJvmPlatform } from '@databridge/local-platform/jvm/platform-jvm';
import { readMachineConfig } from '@databridge/local-platform/platform-config';
import { rootCauseEvent } from '../harness/events.ts';
import { ADDRESSES_VARIABLE } from '../harness/kafka/running-platform.ts';
import { hasMonitoring, Monitoring } from '../harness/ops/monitoring.ts';
import { Receiver } from '../harness/receiver.ts';
import { type ControlPlane, startControlPlane } from '../harness/services/control-plane.ts';
import { type ServiceProcess, startService } from '../harness/services/processes.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

const { jest } = import.meta;
/** A day in a minute: after it, a customer that accepted nothing is disabled. */
const RETRIES = { RETRY_PLAN: '1s*2,2s*20', RETRY_WINDOW: '60s' };
const operator = Tokens.generate('ann', 'operator');

let platform: JvmPlatform;
let stage: Stage;
let plane: ControlPlane;
let monitoring: Monitoring;
/** In place of the stage's once that was ended. */
let fanOut: ServiceProcess;
const customer = freshName('acme');
const healthy = freshName('globex');
let receiver: Receiver;
let healthyReceiver: Receiver;
let isDown = false;

/** Debian's packages `prometheus` and `prometheus-alertmanager`; .ci/run installs them. */
const run = hasMonitoring ? test : test.skip;

beforeAll(async () => {
  if (!hasMonitoring) return;
  platform = await startJvmPlatform(readMachineConfig(process.env));
  const { brokers, registryUrl } = platform;
  process.env[ADDRESSES_VARIABLE] = JSON.stringify([{ brokers, registryUrl }]);
  stage = await Stage.start({ delivery: RETRIES });
  fanOut = stage.fanOut;
  plane = await startControlPlane([operator], {
    ...RETRIES,
    DATABRIDGE_KEYS: stage.keys,
    EVENT_TYPES: `root-cause=${stage.upstream.topic}`,
    EXPORT_INTERVAL: '1s',
    SCHEMA_REGISTRY_URL: registryUrl,
  });
  receiver = await Receiver.start(() => ({ status: isDown ? 500 : 200 }));
  healthyReceiver = await Receiver.start();
  await stage.subscribe(customer, receiver.url);
  await stage.subscribe(healthy, healthyReceiver.url);
  await plane.service.waitUntilReady();
  monitoring = await Monitoring.start(targets());
});
afterAll(async () => {
  await monitoring?.stop();
  await plane?.service.stop();
  await fanOut?.stop();
  await platform?.stop();
});
beforeEach(() => monitoring?.notified.splice(0));

const targets = () => [fanOut, stage.delivery, plane.service].map(({ adminUrl }) => new URL(adminUrl).host);

const produce = async (company: string, count: number) => {
  await stage.upstream.produce(Array.from({ length: count }, () => rootCauseEvent({ company })));
};

const toldOf = () =>
  [...new Set(monitoring.notified.map(({ receiver: who, name }) => `${who}: ${name}`))]
    .filter((line) => !line.startsWith('nobody'))
    .sort();

/** Runs a command that the runbook has, for this customer, as the operator who reads it does. */
async function cureBy(alert: string, command: string): Promise<string> {
  const page = readFileSync(new URL(`../../docs/operations/runbooks/Databridge${alert}.md`, import.meta.url), 'utf8');
  expect(page).toContain(`\`${command}\``);
  const out: string[] = [];
  const spy = jest.spyOn(process.stdout, 'write').mockImplementation((chunk) => out.push(String(chunk)) > 0);
  try {
    const args = command.split(' ').slice(1);
    await runProgram(
      args.map((word) => (word === 'acme' ? customer : word)),
      { DATABRIDGE_URL: plane.url.replace(/\/v1$/, ''), DATABRIDGE_TOKEN: operator.token },
    );
  } finally {
    spy.mockRestore();
  }
  return out.join('');
}

run(
  'a customer answers 500 until it is disabled: support hears of it, nobody is woken up, enabling cures it',
  async () => {
    isDown = true;
    await produce(customer, 3);
    await produce(healthy, 3);
    const warned = await monitoring.told('support', 'CustomerWillBeDisabled');
    expect(warned.labels).toMatchObject({ customer, fault: 'customer', severity: 'warning' });
    expect(warned.annotations['summary']).toMatch(/will be disabled in [\d.]+s$/);
    expect(warned.annotations['dashboard_url']).toContain(`?var-customer=${customer}`);
    await monitoring.told('support', 'CustomerDisabled');
    await healthyReceiver.waitFor(({ accepted }) => accepted === 3);

    isDown = false;
    await cureBy('CustomerDisabled', 'databridge enable acme');
    await receiver.waitFor(({ accepted }) => accepted === 3);
    await monitoring.allResolved();
    expect(toldOf()).toEqual(['support: CustomerDisabled', 'support: CustomerWillBeDisabled']);
  },
);

run('fan-out is gone: it is a page, no customer is blamed, and its start cures it', async () => {
  await fanOut.kill();
  await produce(healthy, 5);
  const page = await monitoring.told('page', 'FanOutAbsent');
  expect(page.labels).toMatchObject({ fault: 'ours', severity: 'critical', namespace: 'test' });
  expect(await monitoring.value('sum(databridge_intake_waiting_records)')).toBe(5);

  fanOut = await startService('fan-out', { EVENT_TYPES: `root-cause=${stage.upstream.topic}` });
  monitoring.watch(targets());
  await healthyReceiver.waitFor(({ accepted }) => accepted === 8);
  await monitoring.allResolved();
  expect(toldOf()).toEqual(['page: FanOutAbsent']);
});

run(
  'the registry is away while fan-out restarts: one page names the cause, and its consequences are held back',
  async () => {
    await platform.stopRegistry('kill');
    await fanOut.stop();
    fanOut = await startService('fan-out', { EVENT_TYPES: `root-cause=${stage.upstream.topic}` });
    monitoring.watch(targets());
    await produce(healthy, 5);
    await monitoring.told('page', 'RegistryUnreachable');
    expect(await cureBy('RegistryUnreachable', 'databridge doctor')).toMatch(/registry/);

    await platform.startRegistry();
    await healthyReceiver.waitFor(({ accepted }) => accepted === 13);
    await monitoring.allResolved();
    expect(toldOf()).toEqual(['page: RegistryUnreachable']);
  },
);

run('over all of it, nothing else fired', async () => {
  const consequences = ['FanOutStuck', 'FanOutSlow', 'ServiceNotReady', 'FanOutAbsent', 'CustomerFailing'];
  const causes = ['CustomerWillBeDisabled', 'CustomerDisabled', 'FanOutAbsent', 'RegistryUnreachable'];
  const fired = await monitoring.fired('start');
  expect(fired.filter((name) => !consequences.includes(name) && !causes.includes(name))).toEqual([]);
  expect(fired).toEqual(expect.arrayContaining(causes));
});
