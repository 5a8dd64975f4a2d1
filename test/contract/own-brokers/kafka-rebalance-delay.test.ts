/** Kafka's own default delays the first join of an empty group by 3 s: the services start, deliver and hand over with it. */
import { LOOPBACK_EGRESS } from '@databridge/kernel/egress/egress-settings';
import { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { ensureSystemTopics } from '@databridge/kernel/kafka/system-topics';
import { createLogger } from '@databridge/kernel/log';
import { generateKeySet } from '@databridge/kernel/secrets/key-set';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { startJvmPlatform } from '@databridge/local-platform/jvm/platform-jvm';
import type { Platform } from '@databridge/local-platform/platform';
import { readMachineConfig } from '@databridge/local-platform/platform-config';
import { rootCauseEvent } from '../../harness/events.ts';
import { upstreamKafka } from '../../harness/kafka/upstream-kafka.ts';
import { startUpstream } from '../../harness/produce.ts';
import { Receiver } from '../../harness/receiver.ts';
import { startControlPlane } from '../../harness/services/control-plane.ts';
import { spawnService } from '../../harness/services/processes.ts';

let kafka: Platform;

beforeAll(async () => {
  const brokerSettings = { 'group.initial.rebalance.delay.ms': '3000' };
  kafka = await startJvmPlatform({ ...readMachineConfig(process.env), brokerSettings });
}, 180_000);
afterAll(() => kafka?.stop());

test('with the default group.initial.rebalance.delay.ms, events are delivered, also by the next worker', async () => {
  const { brokers, registryUrl } = kafka;
  const admin = new KafkaAdmin({ brokers, clientId: 'test', log: createLogger('test', 'silent') });
  await ensureSystemTopics(admin, ['root-cause.events']);
  await admin.disconnect();
  expect(await brokerSetting('group.initial.rebalance.delay.ms')).toBe('3000');
  const addresses = { KAFKA_BROKERS: brokers.join(), SCHEMA_REGISTRY_URL: registryUrl, RETRY_PLAN: '1s*2' };
  const { delivery, controlPlane } = generateKeySet('test');
  const keys = { DATABRIDGE_KEYS: delivery, ...LOOPBACK_EGRESS };
  const own = { ...addresses, DATABRIDGE_KEYS: controlPlane, ...LOOPBACK_EGRESS };
  const plane = await startControlPlane([Tokens.generate('ann', 'operator')], own);
  const start = async (name: 'fan-out' | 'delivery', env = {}) => {
    const service = await spawnService(name, { ...addresses, ...env });
    await service.waitUntilReady();
    return service;
  };
  const [, worker] = await Promise.all([start('fan-out'), start('delivery', keys)]);
  const receiver = await Receiver.start();
  const body = { eventTypes: ['root-cause'], match: 'everything', destination: { type: 'http', url: receiver.url } };
  expect(await plane.call('PUT', '/subscriptions/acme', { body })).toMatchObject({ status: 201 });
  const upstream = await startUpstream('root-cause.events', { brokers, registryUrl });
  await upstream.produce([rootCauseEvent()]);
  await receiver.waitFor(({ accepted }) => accepted === 1);

  expect(await worker.stop()).toBe(0);
  await start('delivery', keys);
  await upstream.produce([rootCauseEvent()]);
  await receiver.waitFor(({ accepted }) => accepted === 2);
  await upstream.stop();
}, 180_000);

async function brokerSetting(name: string): Promise<string | undefined> {
  const admin = upstreamKafka(kafka.brokers).admin();
  await admin.connect();
  try {
    const { resources } = await admin.describeConfigs({ resources: [{ type: 4, name: '1' }], includeSynonyms: false });
    return resources[0]?.configEntries.find(({ configName }) => configName === name)?.configValue;
  } finally {
    await admin.disconnect();
  }
}
