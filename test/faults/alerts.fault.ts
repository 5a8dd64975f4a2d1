/**
 * What alerts exist for and other fault runs do not break, with all durations shortened: exactly the right people are sent
 * exactly the right alerts, the command of the runbook cures what it says, and everything resolves.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { type JvmPlatform, startJvmPlatform } from '@databridge/local-platform/jvm/platform-jvm';
import { readMachineConfig } from '@databridge/local-platform/platform-config';
import { deliveryTopic, QUARANTINE_TOPIC } from '@databridge/schemas/records/topics';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { ADDRESSES_VARIABLE } from '../harness/kafka/running-platform.ts';
import { Receiver } from '../harness/receiver.ts';
import { Relay } from '../harness/servers/relay.ts';
import { type ControlPlane, startControlPlane } from '../harness/services/control-plane.ts';
import { type ServiceProcess, startService } from '../harness/services/processes.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';
import type { Scenario } from './expected-alerts.ts';
import { isWatched, Watch } from './watch.ts';

/** A day in a minute: after it, a customer that accepted nothing is disabled. */
const RETRIES = { RETRY_PLAN: '1s*2,2s*20', RETRY_WINDOW: '60s' };
/** Minutes become a few seconds. */
const SHORTENING = { windows: 30, stays: 30 };
const DAY_MS = 86_400_000;
const operator = Tokens.generate('ann', 'operator');

let platform: JvmPlatform;
let stage: Stage;
/** Between the control planes and Kafka. */
let relay: Relay;
let planes: readonly ControlPlane[];
let watch: Watch;
/** In place of the stage's once that was ended. */
let fanOut: ServiceProcess;
let folder: string;
const customer = freshName('acme');
const healthy = freshName('globex');
let receiver: Receiver;
let healthyReceiver: Receiver;
let isDown = false;

beforeAll(async () => {
  if (!isWatched) return;
  folder = mkdtempSync(join(tmpdir(), 'databridge-alerts-'));
  relay = await Relay.start();
  platform = await startJvmPlatform({ ...readMachineConfig(process.env), relayAtPort: relay.port });
  relay.leadTo(platform.relayedPort as number);
  const { brokers, registryUrl } = platform;
  process.env[ADDRESSES_VARIABLE] = JSON.stringify([{ brokers, registryUrl }]);
  stage = await Stage.start({ delivery: RETRIES });
  fanOut = stage.fanOut;
  const env = {
    ...RETRIES,
    DATABRIDGE_KEYS: stage.keys,
    EVENT_TYPES: `root-cause=${stage.upstream.topic}`,
    EXPORT_INTERVAL: '1s',
    KAFKA_BROKERS: `127.0.0.1:${relay.port}`,
    SCHEMA_REGISTRY_URL: registryUrl,
  };
  planes = await Promise.all([startControlPlane([operator], env), startControlPlane([operator], env)]);
  receiver = await Receiver.start(() => ({ status: isDown ? 500 : 200 }));
  healthyReceiver = await Receiver.start();
  await stage.subscribe(customer, receiver.url);
  await stage.subscribe(healthy, healthyReceiver.url);
  const targets = () =>
    [fanOut, stage.delivery, ...planes.map(({ service }) => service)].map(({ adminUrl }) => new URL(adminUrl).host);
  const api = () => ({ url: (planes[0] as ControlPlane).url, token: operator.token });
  watch = (await Watch.start({ targets, api, shortening: SHORTENING })) as Watch;
});
afterAll(async () => {
  await watch?.stop();
  await Promise.all((planes ?? []).map(({ service }) => service.stop()));
  await fanOut?.stop();
  await platform?.stop();
  await relay?.stop();
  if (folder) rmSync(folder, { recursive: true });
});

/** Nothing is left of these scenarios if nobody watches. .ci/run installs the packages that they need. */
function scenario(name: Scenario, faultAndCure: () => Promise<void>): void {
  (isWatched ? test : test.skip)(name, async () => {
    watch.forget();
    await faultAndCure();
    await watch.settled(name);
  });
}

const produce = async (company: string, count: number) => {
  await stage.upstream.produce(Array.from({ length: count }, () => rootCauseEvent({ company })));
};
/** Produces, and waits until the other customer has them: it is not to notice any of this. */
const othersGoOn = async (count = 5) => {
  const before = healthyReceiver.requests.length;
  await produce(healthy, count);
  await healthyReceiver.waitFor(() => healthyReceiver.requests.length >= before + count);
};

scenario('a customer answers 500 until it is disabled', async () => {
  isDown = true;
  await produce(customer, 3);
  const warned = await watch.sent('support', 'CustomerWillBeDisabled');
  expect(warned.labels).toMatchObject({ customer, fault: 'customer', severity: 'warning' });
  expect(warned.annotations['summary']).toMatch(/will be disabled in [\d.]+s$/);
  expect(warned.annotations['dashboard_url']).toContain(`?var-customer=${customer}`);
  await watch.sent('support', 'CustomerDisabled');
  await othersGoOn();

  isDown = false;
  const { exit } = await watch.cure('a customer answers 500 until it is disabled', { acme: customer });
  expect(exit).toBe(0);
  await receiver.waitFor(({ accepted }) => accepted === 3);
});

scenario('fan-out is gone', async () => {
  await fanOut.kill();
  await produce(healthy, 5);
  const page = await watch.sent('page', 'FanOutAbsent');
  expect(page.labels).toMatchObject({ fault: 'ours', severity: 'critical', namespace: 'test' });
  expect(await watch.value('sum(databridge_intake_waiting_records)')).toBe(5);
  // Kafka counts it as a member until its session ends.
  await eventually(
    () => watch.cure('fan-out is gone'),
    ({ text, exit }) => exit === 1 && /fan-out/i.test(text),
  );

  fanOut = await startService('fan-out', { EVENT_TYPES: `root-cause=${stage.upstream.topic}` });
  watch.retarget();
  await othersGoOn();
  await watch.cured('fan-out is gone');
});

scenario('the registry is away for long while fan-out restarts', async () => {
  await platform.stopRegistry('kill');
  // As a rolling update does: the new one is there before the old one goes.
  const old = fanOut;
  fanOut = await startService('fan-out', { EVENT_TYPES: `root-cause=${stage.upstream.topic}` });
  watch.retarget();
  await old.stop();
  await produce(healthy, 5);
  await watch.sent('page', 'RegistryUnreachable');
  const { text, exit } = await watch.cure('the registry is away for long while fan-out restarts');
  expect(text).toMatch(/registry/);
  expect(exit).toBe(1);

  await platform.startRegistry();
  await othersGoOn();
  await watch.cured('the registry is away for long while fan-out restarts');
});

scenario('retention is about to delete what a rate limit holds back', async () => {
  const topic = deliveryTopic(customer);
  await stage.subscribe(customer, receiver.url, { ratePerSecond: 1 });
  await stage.admin.changeTopicSettings([topic], { 'retention.ms': String(DAY_MS + 5_000) });
  await produce(customer, 120);
  const page = await watch.sent('page', 'RetentionWillDelete');
  expect(page.labels).toMatchObject({ customer, fault: 'ours' });
  const left = await watch.value('min(databridge_retention_deadline_timestamp_seconds) - time()');
  expect(left).toBeGreaterThan(DAY_MS / 1_000 - 600);
  expect(left).toBeLessThan(DAY_MS / 1_000 + 5);
  expect((await watch.run('RetentionWillDelete', 'databridge explain acme', { acme: customer })).text).toMatch(
    /rate: Events wait because/,
  );
  const { exit } = await watch.cure('retention is about to delete what a rate limit holds back', { acme: customer });
  expect(exit).toBe(0);
  const { 'retention.ms': kept } = (await stage.admin.topicSettings([topic])).get(topic) ?? {};
  expect(Number(kept)).toBeGreaterThan(30 * DAY_MS);
  await othersGoOn();
});

scenario('a producer floods the quarantine', async () => {
  const value = Buffer.from('{"not":"avro"}');
  await stage.upstream.produceRaw(Array.from({ length: 40 }, (_, at) => ({ key: `flood-${at}`, value })));
  const ticket = await watch.sent('ticket', 'QuarantineRises');
  expect(ticket.labels).toMatchObject({ event_type: 'root-cause', fault: 'ours', severity: 'warning' });
  await othersGoOn();
  expect((await watch.run('QuarantineRises', 'databridge quarantine list')).text).toMatch(/malformed-frame/);
  expect((await watch.cure('a producer floods the quarantine')).exit).toBe(0);
  const left = (await stage.read(QUARANTINE_TOPIC)).filter(({ value: bytes }) => bytes !== null);
  expect(left.length).toBeLessThanOrEqual(40);
});

/** @returns the subscription in a file, with a client certificate that is good for so many hours */
function subscriptionFile(name: string, hours: number): string {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  const put = (file: string, content: string) => {
    writeFileSync(join(folder, file), content);
    return join(folder, file);
  };
  // `openssl req -x509` knows whole days only.
  put(
    'authority.cnf',
    '[ca]\ndefault_ca=one\n[one]\ndatabase=index.txt\nserial=serial\npolicy=any\n[any]\ncommonName=supplied\n',
  );
  put('index.txt', '');
  const until = new Date(Date.now() + hours * 3_600_000).toISOString().replace(/[-:T]|\.\d+/g, '');
  openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', 'client.key');
  openssl('req', '-new', '-key', 'client.key', '-subj', '/CN=databridge', '-out', 'client.csr');
  const signing = ['-selfsign', '-batch', '-notext', '-rand_serial', '-md', 'sha256', '-outdir', '.'];
  const files = ['-config', 'authority.cnf', '-keyfile', 'client.key', '-in', 'client.csr', '-out', 'client.crt'];
  openssl('ca', ...signing, ...files, '-enddate', until);
  const pem = (file: string) => readFileSync(join(folder, file), 'utf8');
  const subscription = {
    customer: name,
    eventTypes: ['root-cause'],
    match: { company: [name] },
    destination: { type: 'http', url: receiver.url.replace('http:', 'https:') },
    tls: { clientCertificate: pem('client.crt'), clientKey: pem('client.key') },
    state: 'active',
  };
  return put(`${hours}-hours.yaml`, JSON.stringify({ subscriptions: [subscription] }));
}

scenario('a client certificate runs out', async () => {
  const withCertificate = freshName('initech');
  const apply = 'databridge apply -f subscriptions/ --yes';
  const put = (hours: number) =>
    watch.run('CertificateExpiring', apply, { 'subscriptions/': subscriptionFile(withCertificate, hours) });
  // Two weeks are 11 hours here.
  expect(await put(5)).toMatchObject({ exit: 0 });
  const note = await watch.sent('support', 'CertificateExpiring');
  expect(note.labels).toMatchObject({ customer: withCertificate, fault: 'customer' });
  expect(await put(900)).toMatchObject({ exit: 0 });
});

scenario('two control planes, and no writer', async () => {
  relay.way = 'cut';
  const page = await watch.sent('page', 'NoWriter');
  expect(page.labels).toMatchObject({ fault: 'ours', severity: 'critical' });
  // Deliveries go on.
  await othersGoOn();
  expect((await watch.cure('two control planes, and no writer')).exit).not.toBe(0);

  relay.way = 'open';
  await watch.cured('two control planes, and no writer');
});
