/** TLS, SCRAM and access control: each service works with what the guide grants it, and says what is wrong if it can't. */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LOOPBACK_EGRESS } from '@databridge/kernel/egress/egress-settings';
import { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { kafkaSettings } from '@databridge/kernel/kafka/settings';
import { ensureSystemTopics } from '@databridge/kernel/kafka/system-topics';
import { createLogger } from '@databridge/kernel/log';
import { generateKeySet } from '@databridge/kernel/secrets/key-set';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { kafkaVariables } from '@databridge/kernel/settings/config';
import kafkajs from 'kafkajs';
import { z } from 'zod';
import { rootCauseEvent } from '../../harness/events.ts';
import { eventually } from '../../harness/eventually.ts';
import { type SecuredBroker, startSecuredBroker } from '../../harness/kafka/secured-broker.ts';
import { upstreamKafka } from '../../harness/kafka/upstream-kafka.ts';
import { startUpstream } from '../../harness/produce.ts';
import { Receiver } from '../../harness/receiver.ts';
import { startControlPlane } from '../../harness/services/control-plane.ts';
import { spawnService } from '../../harness/services/processes.ts';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

const USERS = { 'fan-out': 'f-secret', delivery: 'd-secret', 'control-plane': 'c-secret' } as const;
let broker: SecuredBroker;

beforeAll(async () => {
  broker = await startSecuredBroker(USERS);
  await grantAsTheGuideSays(broker.openBrokers);
}, 180_000);
afterAll(() => broker?.stop());

/** As a service gets it: the password in a file. */
function environmentOf(user: keyof typeof USERS, changes: Record<string, string> = {}): Record<string, string> {
  const passwordFile = join(dirname(broker.caFile), `${user}.password`);
  writeFileSync(passwordFile, `${changes['password'] ?? USERS[user]}\n`, { mode: 0o600 });
  const { password: _, ...others } = changes;
  return {
    KAFKA_BROKERS: broker.securedBrokers.join(),
    SCHEMA_REGISTRY_URL: broker.registryUrl,
    KAFKA_TLS: 'true',
    KAFKA_TLS_CA_FILE: broker.caFile,
    KAFKA_SASL_MECHANISM: 'scram-sha-512',
    KAFKA_SASL_USERNAME: user,
    KAFKA_SASL_PASSWORD_FILE: passwordFile,
    ...others,
  };
}

const settingsOf = (environment: Record<string, string>) =>
  kafkaSettings(z.object(kafkaVariables).parse(environment), 'test', createLogger('test', 'silent'));

test('with what the guide grants each of them, an event goes from the intake to the customer', async () => {
  const admin = new KafkaAdmin(settingsOf(environmentOf('control-plane')));
  await ensureSystemTopics(admin, ['root-cause.events']);
  await admin.disconnect();
  const keys = generateKeySet('test');
  const plan = (keysOfService: string) => ({
    RETRY_PLAN: '1s*2',
    DATABRIDGE_KEYS: keysOfService,
    ...LOOPBACK_EGRESS,
  });
  const plane = await startControlPlane(
    [Tokens.generate('ann', 'operator')],
    environmentOf('control-plane', plan(keys.controlPlane)),
  );
  const receiver = await Receiver.start();
  const body = {
    eventTypes: ['root-cause'],
    match: 'everything',
    destination: { type: 'http', url: receiver.url },
    authentication: { type: 'api-key', name: 'x-key', key: 'sealed' },
  };
  expect(await plane.call('PUT', '/subscriptions/acme', { body })).toMatchObject({ status: 201 });
  expect(await plane.call('POST', '/subscriptions/acme/pause')).toMatchObject({ status: 200 });
  expect(await plane.call('POST', '/subscriptions/acme/resume')).toMatchObject({ status: 200 });

  const services = await Promise.all([
    spawnService('fan-out', environmentOf('fan-out')),
    spawnService('delivery', environmentOf('delivery', plan(keys.delivery))),
  ]);
  await Promise.all(services.map((service) => service.waitUntilReady()));
  const upstream = await startUpstream('root-cause.events', {
    brokers: broker.openBrokers,
    registryUrl: broker.registryUrl,
  });
  receiver.script = (_request, nth) => (nth === 1 ? { status: 503 } : {}); // So that a retry lane is used too.
  await upstream.produce([rootCauseEvent()]);
  await receiver.waitFor(({ accepted }) => accepted === 1);
  await upstream.stop();
  expect(await plane.call('GET', '/subscriptions/acme/status')).toMatchObject({ status: 200 });
  const examined = async () => (await plane.call('GET', '/doctor')).body;
  const doctor = await eventually(examined, ({ isHealthy }) => isHealthy, 60_000);
  expect(doctor.findings.filter(({ verdict }: { verdict: string }) => verdict !== 'ok')).toEqual([]);
  expect(await plane.call('POST', '/subscriptions/acme/rewinds', { body: { to: 'earliest' } })).toMatchObject({
    status: 200,
  });
  const headers = { 'if-match': (await plane.call('GET', '/subscriptions/acme')).headers.get('etag') ?? '' };
  expect(await plane.call('DELETE', '/subscriptions/acme?waiting=discard', { headers })).toMatchObject({ status: 200 });
  for (const service of [...services, plane.service]) {
    expect(service.logs.filter((line) => JSON.stringify(line).includes('AUTHORIZATION'))).toEqual([]);
    expect(await service.stop()).toBe(0);
  }
});

test.each([
  [
    'a wrong password',
    { password: 'nobody-has-this-one' },
    'DB_KAFKA_REFUSED',
    /authentication failed.*invalid credentials/i,
  ],
  ['an authority that is not trusted', { KAFKA_TLS_CA_FILE: '' }, 'DB_KAFKA_UNAVAILABLE', /self-signed certificate/],
] as const)('%s is a clear error, and ends the service at its start', async (_what, changes, code, says) => {
  const environment = environmentOf('fan-out', changes);
  const admin = new KafkaAdmin(settingsOf(withoutEmpty(environment)));
  await expect(admin.connect()).rejects.toMatchObject({ code, message: expect.stringMatching(says) });
  await admin.disconnect();

  const service = await spawnService('fan-out', environment);
  expect(await service.exited).toBe(1);
  // Other connections of its may still fail after it.
  const fatal = service.logs.filter(({ level }) => level === 'fatal');
  expect(fatal).toEqual([expect.objectContaining({ msg: expect.stringMatching(says) })]);
  expect(JSON.stringify(service.logs)).not.toContain('nobody-has-this-one');
});

const withoutEmpty = (environment: Record<string, string>) =>
  Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));

/** The rows of `docs/own-kafka.md`, as they stand there. */
async function grantAsTheGuideSays(brokers: string[]): Promise<void> {
  const guide = readFileSync(new URL('../../../docs/own-kafka.md', import.meta.url), 'utf8');
  const rows = [
    ...guide.matchAll(/^\| ([\w-]+) \| (topic|group|transactional-id|cluster) \| `([^`]+)` \| ([\w, ]+) \|$/gm),
  ];
  expect(new Set(rows.map(([, user]) => user))).toEqual(new Set(Object.keys(USERS)));
  const acl = rows.flatMap(([, user, resource, pattern = '', operations = '']) =>
    operations.split(', ').map((operation) => ({
      principal: `User:${user}`,
      host: '*',
      permissionType: AclPermissionTypes.ALLOW,
      operation: OPERATIONS[operation] ?? AclOperationTypes.UNKNOWN,
      resourceType: RESOURCES[resource ?? ''] ?? AclResourceTypes.UNKNOWN,
      resourceName: pattern.replace(/\*$/, ''),
      resourcePatternType: pattern.endsWith('*') ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
    })),
  );
  const admin = upstreamKafka(brokers).admin();
  await admin.connect();
  await admin.createAcls({ acl });
  // The controller answers; the broker hears of it a moment later.
  const known = async () => (await admin.describeAcls(ANY_ACL)).resources.flatMap(({ acls }) => acls).length;
  await eventually(known, (count) => count >= acl.length, 60_000);
  await admin.disconnect();
}

const ANY_ACL = {
  resourceType: AclResourceTypes.ANY,
  resourcePatternType: ResourcePatternTypes.ANY,
  permissionType: AclPermissionTypes.ANY,
  operation: AclOperationTypes.ANY,
};
const RESOURCES: Readonly<Record<string, number>> = {
  topic: AclResourceTypes.TOPIC,
  group: AclResourceTypes.GROUP,
  'transactional-id': AclResourceTypes.TRANSACTIONAL_ID,
  cluster: AclResourceTypes.CLUSTER,
};
const OPERATIONS: Readonly<Record<string, number>> = {
  Read: AclOperationTypes.READ,
  Write: AclOperationTypes.WRITE,
  AlterConfigs: AclOperationTypes.ALTER_CONFIGS,
  Create: AclOperationTypes.CREATE,
  Delete: AclOperationTypes.DELETE,
  Describe: AclOperationTypes.DESCRIBE,
  DescribeConfigs: AclOperationTypes.DESCRIBE_CONFIGS,
};
