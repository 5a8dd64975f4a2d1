import { randomUUID } from 'node:crypto';
import type { ControlPlaneContext } from '@databridge/control-plane/context';
import { applySubscriptions } from '@databridge/control-plane/subscriptions/apply';
import type { FileSubscription } from '@databridge/control-plane/subscriptions/kept-settings';
import { EgressPolicy } from '@databridge/kernel/egress/egress-policy';
import { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { KafkaProducer } from '@databridge/kernel/kafka/producing/producer';
import { ensureSystemTopics } from '@databridge/kernel/kafka/system-topics';
import { readTopic } from '@databridge/kernel/kafka/topic-reader';
import { createLogger } from '@databridge/kernel/log';
import { generateKeySet, parseKeySet } from '@databridge/kernel/secrets/key-set';
import { Opener } from '@databridge/kernel/secrets/opener';
import { SealingDesk } from '@databridge/kernel/secrets/sealing-desk';
import { customerTopics, SUBSCRIPTIONS_TOPIC, systemTopics } from '@databridge/schemas/records/topics';
import { parseSubscription, type Subscription } from '@databridge/schemas/subscription/subscription';
import { platform } from '../harness/platform.ts';
import { commitBy, readStoredSubscriptions, viewsByReading } from '../harness/services/without-control-plane.ts';

const SECRET = `plain-${randomUUID()}`;
const log = createLogger('apply-test', 'silent');
const kafka = { brokers: platform().brokers, clientId: 'apply-test', log };
const admin = new KafkaAdmin(kafka);
const producer = new KafkaProducer(kafka);
const keys = generateKeySet('k1');
const context: ControlPlaneContext = {
  kafka,
  admin,
  producer,
  subscriptions: () => readStoredSubscriptions(kafka),
  ...viewsByReading(kafka, admin),
  commit: commitBy(producer, 'test'),
  desk: new SealingDesk(parseKeySet(keys.controlPlane)),
  retryDelays: ['1s', '7m45s'],
  egress: new EgressPolicy({ allowCidrs: [], denyCidrs: [], allowHttp: false }),
  log,
};

beforeAll(async () => {
  await Promise.all([admin.connect(), producer.connect()]);
  await ensureSystemTopics(admin, []);
});
afterAll(async () => {
  await Promise.all([admin.disconnect(), producer.disconnect()]);
});

function inFile(customer: string, change: object = {}): FileSubscription {
  const parsed = parseSubscription({
    customer,
    eventTypes: ['root-cause'],
    match: 'everything',
    destination: { type: 'http', url: 'https://api.example/events' },
    authentication: { type: 'api-key', name: 'x-api-key', key: SECRET },
    ...change,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return { subscription: parsed.subscription, sets: 'state' in change ? ['state'] : [] };
}

const changesOf = async (...given: FileSubscription[]) =>
  (await applySubscriptions(context, given)).customers.map(({ change }) => change);

/** Everything ever written for the customer, the oldest first. */
async function recordsOf(customer: string): Promise<string[]> {
  const values: string[] = [];
  await readTopic(kafka, SUBSCRIPTIONS_TOPIC, {
    onBatch({ records }) {
      for (const { key, value } of records) {
        if (key?.toString() === customer) values.push(value?.toString() ?? '(tombstone)');
      }
    },
  });
  return values;
}

const newCustomer = () => `apply-${randomUUID()}`;

describe('applying subscriptions', () => {
  test('creates the customer’s main lane with its settings, and no topic that it may never need', async () => {
    const customer = newCustomer();
    const { createdTopics } = await applySubscriptions(context, [inFile(customer)]);
    expect(createdTopics).toEqual([`delivery.${customer}`]);
    const [main, ...others] = customerTopics(customer, context.retryDelays);
    if (!main) throw new Error('a customer has a main lane');
    expect(await admin.ensureTopics([main])).toEqual({ created: [], mismatched: [] });

    // Those that exist are checked.
    const [retry] = others;
    if (!retry) throw new Error('a plan has retry lanes');
    await admin.ensureTopics([{ ...retry, config: { ...retry.config, 'message.timestamp.type': 'CreateTime' } }]);
    const { mismatchedTopics } = await applySubscriptions(context, [inFile(customer, { maxInFlight: 2 })]);
    expect(mismatchedTopics.map(({ topic, setting }) => [topic, setting])).toEqual([
      [retry.topic, 'message.timestamp.type'],
    ]);
  });

  test('reports a topic that exists with other settings, and leaves it', async () => {
    const customer = newCustomer();
    const [main] = customerTopics(customer);
    if (!main) throw new Error('a customer has a main lane');
    const config = { ...main.config, 'message.timestamp.type': 'CreateTime' };
    await admin.ensureTopics([{ ...main, config }]);
    const { mismatchedTopics } = await applySubscriptions(context, [inFile(customer)]);
    expect(mismatchedTopics).toEqual([
      { topic: main.topic, setting: 'message.timestamp.type', wanted: 'LogAppendTime', found: 'CreateTime' },
    ]);
  });

  test('done again does nothing; a change is one more record', async () => {
    const customer = newCustomer();
    expect(await changesOf(inFile(customer))).toEqual(['created']);
    expect(await changesOf(inFile(customer))).toEqual(['unchanged']);
    expect(await recordsOf(customer)).toHaveLength(1);

    const otherSecret = inFile(customer, { authentication: { type: 'api-key', name: 'x-api-key', key: 'other' } });
    expect(await changesOf(otherSecret)).toEqual(['updated']);
    expect(await changesOf(otherSecret)).toEqual(['unchanged']);
    expect(await recordsOf(customer)).toHaveLength(2);
  });

  test('keeps what an operator set, unless the file says it', async () => {
    const customer = newCustomer();
    await applySubscriptions(context, [inFile(customer, { state: 'paused' })]);
    expect(await changesOf(inFile(customer))).toEqual(['unchanged']);
    expect(await changesOf(inFile(customer, { ratePerSecond: 5 }))).toEqual(['updated']);
    expect((await readStoredSubscriptions(kafka)).get(customer)).toMatchObject({ state: 'paused', ratePerSecond: 5 });
    expect(await changesOf(inFile(customer, { state: 'active', ratePerSecond: 5 }))).toEqual(['updated']);
    expect((await readStoredSubscriptions(kafka)).get(customer)).toMatchObject({ state: 'active' });
  });

  test('no secret is in the topic in plain text; the key of a worker opens it, for its customer alone', async () => {
    const customer = newCustomer();
    await applySubscriptions(context, [inFile(customer)]);
    const [record = ''] = await recordsOf(customer);
    expect(record).not.toContain(SECRET);
    const { authentication } = JSON.parse(record) as Subscription;
    if (authentication.type !== 'api-key') throw new Error('it was applied with an API key');
    const opener = new Opener(parseKeySet(keys.delivery));
    const place = 'authentication.key';
    expect((await opener.open(authentication.key, { customer, place })).reveal()).toBe(SECRET);
    await expect(opener.open(authentication.key, { customer: 'another', place })).rejects.toThrow('another customer');
  });

  test('secrets marked by a key that is gone are replaced by the file’s', async () => {
    const customer = newCustomer();
    await applySubscriptions(context, [inFile(customer)]);
    const otherDesk = { ...context, desk: new SealingDesk(parseKeySet(generateKeySet('k2').controlPlane)) };
    const { customers } = await applySubscriptions(otherDesk, [inFile(customer)]);
    expect(customers).toMatchObject([{ customer, change: 'updated' }]);
  });
});

test('system topics are created once, and all of them are as they should be', async () => {
  const { mismatched } = await ensureSystemTopics(admin, []);
  expect(mismatched).toEqual([]);
  const topics = await admin.listTopics();
  expect(topics).toEqual(expect.arrayContaining(systemTopics().map(({ topic }) => topic)));
});
