/**
 * Two control planes: one makes the changes at a time, and nothing that was acknowledged is lost, whatever becomes of
 * it. `npm run test:writers` goes on for a minute.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import type { ConsumedRecord } from '@databridge/kernel/kafka/records';
import { ensureSystemTopics } from '@databridge/kernel/kafka/system-topics';
import { readTopic } from '@databridge/kernel/kafka/topic-reader';
import { createLogger } from '@databridge/kernel/log';
import { generateKeySet } from '@databridge/kernel/secrets/key-set';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { decodeAudit } from '@databridge/schemas/records/audit';
import { AUDIT_TOPIC, SUBSCRIPTIONS_TOPIC } from '@databridge/schemas/records/topics';
import { eventually } from '../harness/eventually.ts';
import { platform } from '../harness/platform.ts';
import { type ControlPlane, startControlPlane } from '../harness/services/control-plane.ts';
import { freshName } from '../harness/topics.ts';

const WRITERS = 50;
/** Before one of the two is killed, and again after another has taken over. */
const WRITE_MS = Number(process.env['WRITERS_SECONDS'] ?? 4) * 500;
const SESSION_TIMEOUT_MS = 6_000;

const operator = Tokens.generate('ann', 'operator');
const env = { DATABRIDGE_KEYS: generateKeySet('test').controlPlane, SESSION_TIMEOUT: `${SESSION_TIMEOUT_MS}ms` };
const kafka = { brokers: platform().brokers, clientId: 'writers', log: createLogger('writers', 'silent') };
let planes: ControlPlane[];

beforeAll(async () => {
  const admin = new KafkaAdmin(kafka);
  await ensureSystemTopics(admin, []);
  await admin.disconnect();
  planes = [await startControlPlane([operator], env), await startControlPlane([operator], env)];
});

const isWriter = ({ service }: ControlPlane) =>
  service.logs.some(({ msg }) => msg.startsWith('control plane became the writer'));
const tookOver = ({ service }: ControlPlane, timeoutMs: number) =>
  service.waitForLog(({ msg }) => msg.startsWith('control plane became the writer'), timeoutMs);
const body = (ratePerSecond: number) => ({
  eventTypes: ['root-cause'],
  match: 'everything',
  destination: { type: 'http', url: 'http://127.0.0.1:18080/' },
  authentication: { type: 'api-key', name: 'x-key', key: 'sealed-away' },
  ratePerSecond,
});

async function read(topic: string): Promise<ConsumedRecord[]> {
  const records: ConsumedRecord[] = [];
  await readTopic(kafka, topic, { onBatch: (batch) => void records.push(...batch.records) });
  return records;
}

/** The customer's rates in the order of the log. */
async function ratesOf(customer: string): Promise<number[]> {
  return (await read(SUBSCRIPTIONS_TOPIC))
    .filter(({ key }) => key?.toString() === customer)
    .map(({ value }) => JSON.parse(String(value)).ratePerSecond);
}

test('50 writers at two control planes: no update is lost, not even when the one that writes is killed', async () => {
  const customers = Array.from({ length: 5 }, () => freshName('counted'));
  const acknowledged = new Map(customers.map((name) => [name, [1]]));
  let failures = 0;
  let lastAcknowledgedAtMs = 0;
  for (const name of customers) {
    expect((await planes[0]?.call('PUT', `/subscriptions/${name}`, { body: body(1) }))?.status).toBe(201);
  }
  let isOver = false;
  let alive = [...planes];
  const anyPlane = () => alive[Math.floor(Math.random() * alive.length)] as ControlPlane;

  /** Raises a customer's rate by one, again and again, as somebody does who reads, decides, and writes. */
  const increment = async (customer: string) => {
    const path = `/subscriptions/${customer}`;
    const [reads, writes, readsAgain] = [anyPlane(), anyPlane(), anyPlane()];
    const seen = await reads.call('GET', path);
    // What the killed one left open holds readers up until another takes over.
    if (seen.status === 503) {
      failures++;
      return;
    }
    if (seen.status !== 200) throw new Error(JSON.stringify(seen.body));
    const wanted = seen.body.ratePerSecond + 1;
    const headers = { 'if-match': seen.headers.get('etag') ?? '' };
    const { status } = await writes.call('PUT', path, { body: body(wanted), headers });
    if (status !== 200) {
      if (status !== 412) failures++;
      return;
    }
    acknowledged.get(customer)?.push(wanted);
    lastAcknowledgedAtMs = performance.now();
    // Whoever was told that it is done finds it done, wherever it asks.
    const found = await readsAgain.call('GET', path);
    if (found.status === 503) failures++;
    else expect(found.body.ratePerSecond).toBeGreaterThanOrEqual(wanted);
  };
  const writer = async (nth: number) => {
    while (!isOver) {
      // What was under way to the one that is killed may be done or not: nobody was told.
      await increment(customers[nth % customers.length] as string).catch((error: unknown) => {
        if ((error as Error).message !== 'fetch failed') throw error;
        failures++;
      });
    }
  };
  const writers = Promise.all(Array.from({ length: WRITERS }, (_, nth) => writer(nth)));
  await Promise.race([delay(WRITE_MS), writers]);
  const owner = planes.find(isWriter) as ControlPlane;
  const other = planes.find((plane) => plane !== owner) as ControlPlane;
  alive = [other];
  await owner.service.kill();
  const killedAtMs = performance.now();
  await Promise.race([tookOver(other, 60_000), writers]);
  await Promise.race([delay(WRITE_MS), writers]);
  const written = eventually(
    async () => lastAcknowledgedAtMs,
    (atMs) => atMs > killedAtMs,
  );
  await Promise.race([written, writers]);
  isOver = true;
  await writers;

  const audited = (await read(AUDIT_TOPIC)).map(({ value }) => decodeAudit(value as Buffer));
  let total = 0;
  for (const customer of customers) {
    const rates = await ratesOf(customer);
    const told = acknowledged.get(customer) ?? [];
    // Each was decided on the one before it: two that were decided on the same would be told, or stand there, twice.
    expect(told.length).toBe(new Set(told).size);
    expect(rates).toEqual(rates.map((_, nth) => nth + 1));
    expect(rates).toEqual(expect.arrayContaining(told));
    const changes = audited.filter((one) => one?.customer === customer);
    expect(changes.map((one) => one?.after?.['ratePerSecond'])).toEqual(rates);
    total += rates.length;
  }
  const told = [...acknowledged.values()].flat().length;
  process.stdout.write(`${total} changes stored, ${told} acknowledged, ${failures} not answered or refused for now\n`);
  planes = [other, await startControlPlane([operator], env)];
}, 300_000);

test('one that was frozen while another took over changes nothing when it goes on', async () => {
  const customer = freshName('frozen');
  const path = `/subscriptions/${customer}`;
  const [owner, other] = planes as [ControlPlane, ControlPlane];
  const created = await owner.call('PUT', path, { body: body(1) });
  const headers = { 'if-match': created.headers.get('etag') ?? '' };
  owner.service.freeze();
  const late = owner.call('PUT', path, { body: body(2), headers });
  const sentOn = other.call('PUT', path, { body: body(3), headers });
  await tookOver(other, 60_000);
  expect((await other.call('PUT', path, { body: body(7), headers })).status).toBe(200);
  // Nobody waits for ever for one that stands still; what became of the request is not known, and so it is said.
  expect(await sentOn).toMatchObject({ status: 503, body: { code: 'DB_NOT_THE_WRITER' } });
  owner.service.thaw();
  expect((await late).status).toBe(412);
  expect(await ratesOf(customer)).toEqual([1, 7]);
  // It finds the writer, and reads what that one wrote.
  const seen = await owner.call('GET', path);
  const again = await owner.call('PUT', path, {
    body: body(8),
    headers: { 'if-match': seen.headers.get('etag') ?? '' },
  });
  expect([seen.body.ratePerSecond, again.status]).toEqual([7, 200]);
});
