import type { ClusterProbe } from '@databridge/kernel/kafka/cluster-probe';
import { KafkaPortError } from '@databridge/kernel/kafka/errors';
import { createLogger } from '@databridge/kernel/log';
import { generateKeySet, parseKeySet } from '@databridge/kernel/secrets/key-set';
import { SealingDesk } from '@databridge/kernel/secrets/sealing-desk';
import { DELIVERY_WORKERS_GROUP, deliveryTopic } from '@databridge/schemas/records/topics';
import { examine } from './examine.ts';
import { examineBrokers, examined, examineGroups, examineRights, type KafkaFacts } from './kafka-checks.ts';

const refused = (what: string) => new KafkaPortError('DB_KAFKA_REFUSED', `${what}: TOPIC_AUTHORIZATION_FAILED`);
const probeOf = (parts: Partial<ClusterProbe>) => parts as ClusterProbe;
const adminOf = (parts: object) => parts as KafkaFacts['admin'];

describe('brokers', () => {
  const withSettings = (...brokers: Record<string, string>[]) =>
    examineBrokers({
      probe: probeOf({ brokerSettings: async () => new Map(brokers.map((one, at) => [String(at + 1), one])) }),
    });
  const WELL = { 'offsets.retention.minutes': '20160', 'auto.create.topics.enable': 'false' };

  test('that keep offsets as long as lanes keep records are ok', async () => {
    expect(await withSettings(WELL, WELL)).toMatchObject([{ verdict: 'ok', detail: '2 with the required settings.' }]);
  });

  test('whose offsets.retention.minutes is shorter than the lanes’ retention are named, with the value to set', async () => {
    const [finding, ...others] = await withSettings(WELL, { ...WELL, 'offsets.retention.minutes': '10080' });
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      ...{ check: 'brokers', verdict: 'fault' },
      detail: expect.stringMatching(/^Broker 2 has offsets\.retention\.minutes=10080, which is less than the 14 days/),
      advice: expect.stringMatching(/at least 20160/),
    });
  });

  test('that create topics by themselves are named', async () => {
    const found = await withSettings({ ...WELL, 'auto.create.topics.enable': 'true' });
    expect(found).toMatchObject([{ verdict: 'fault', detail: 'Broker 1 has auto.create.topics.enable=true.' }]);
  });

  test('whose settings we may not read are unknown, with what to check by hand', async () => {
    const probe = probeOf({ brokerSettings: () => Promise.reject(refused('describe the brokers')) });
    expect(await examineBrokers({ probe })).toMatchObject([
      { verdict: 'unknown', advice: expect.stringMatching(/offsets\.retention\.minutes is at least 20160/) },
    ]);
  });
});

describe('rights', () => {
  const allowed = {
    topicSettings: async () => new Map(),
    groupState: async () => ({ state: 'Stable' as const, members: [] }),
    committedOffsets: async () => [],
  };
  const probe = probeOf({ checkMayCreate: async () => undefined, checkMayAlter: async () => undefined });
  const facts = { admin: adminOf(allowed), probe, intakeTopics: [], customers: ['acme'] };

  test('that are all there are ok', async () => {
    expect(await examineRights(facts)).toMatchObject([{ check: 'rights', verdict: 'ok' }]);
  });

  test.each<[string, Partial<KafkaFacts>, RegExp]>([
    [
      'to create lanes',
      {
        probe: probeOf({
          ...probe,
          checkMayCreate: (topic) =>
            topic.startsWith('delivery.') ? Promise.reject(refused('create')) : Promise.resolve(),
        }),
      },
      /to Create topics named "delivery\.\*"/,
    ],
    [
      'to alter lanes',
      { probe: probeOf({ ...probe, checkMayAlter: () => Promise.reject(refused('alter')) }) },
      new RegExp(`to AlterConfigs of topic ${deliveryTopic('acme')}`),
    ],
    [
      'to describe the workers’ group',
      {
        admin: adminOf({
          ...allowed,
          groupState: (group: string) =>
            group === DELIVERY_WORKERS_GROUP ? Promise.reject(refused('describe')) : allowed.groupState(),
        }),
      },
      new RegExp(`to Describe group ${DELIVERY_WORKERS_GROUP}`),
    ],
  ])('that are missing, %s, are named one by one, with the guide', async (_what, changes, detail) => {
    expect(await examineRights({ ...facts, ...changes })).toEqual([
      {
        ...{ check: 'rights', verdict: 'fault' },
        detail: expect.stringMatching(detail),
        advice: expect.stringMatching(/docs\/own-kafka\.md/),
      },
    ]);
  });

  test('that any other check lacks are faults of rights; other failures leave that check open', async () => {
    const failing = (error: Error) => examined('topics', 'to DescribeConfigs of topics', () => Promise.reject(error));
    expect(await failing(refused('describe'))).toMatchObject([{ check: 'rights', verdict: 'fault' }]);
    expect(await failing(new Error('broke off'))).toMatchObject([
      { check: 'topics', verdict: 'unknown', detail: 'This could not be checked: broke off' },
    ]);
  });
});

test('groups without members are named', async () => {
  const admin = adminOf({ groupState: async () => ({ state: 'Empty', members: [] }) });
  expect((await examineGroups({ admin })).map(({ detail }) => detail)).toEqual([
    expect.stringMatching(/^No fan-out service/),
    expect.stringMatching(/^No control plane/),
  ]);
});

test('Kafka that is away is one fault, with its addresses; what is read from it is unknown', async () => {
  // Nobody listens on port 1.
  const kafka = { brokers: ['127.0.0.1:1'], clientId: 'doctor', log: createLogger('test', 'silent') };
  const desk = new SealingDesk(parseKeySet(generateKeySet('k1').controlPlane));
  const untouched = () => Promise.reject(new Error('not asked'));
  const { isHealthy, findings } = await examine({
    operations: {
      ...{ kafka, desk, admin: {} as never, workers: () => [] },
      ...{ subscriptions: untouched, workerStatuses: untouched, sharedSettings: {} },
    },
    eventTypes: [],
  });
  expect(isHealthy).toBe(false);
  expect(findings).toMatchObject([
    { check: 'kafka', verdict: 'fault', detail: expect.stringMatching(/^Kafka does not answer at 127\.0\.0\.1:1: /) },
    { check: 'workers', verdict: 'unknown' },
    { check: 'registry', verdict: 'unknown' },
  ]);
  expect(findings[0]?.advice).toMatch(/KAFKA_BROKERS/);
});
