/** What can't be read goes to quarantine, whole and with the reason, and holds up nobody; a missing registry is waited for. */
import { frame } from '@databridge/schemas/event/confluent-frame';
import { headerText } from '@databridge/schemas/records/headers';
import { customerTopics, FAN_OUT_GROUP, QUARANTINE_TOPIC } from '@databridge/schemas/records/topics';
import { CompressionTypes } from 'kafkajs';
import { rootCauseEvent } from '../harness/events.ts';
import { platform } from '../harness/platform.ts';
import { startUpstream, type UpstreamProducer } from '../harness/produce.ts';
import { Relay } from '../harness/servers/relay.ts';
import { type FanOutHere, startFanOutHere, waitFor } from '../harness/services/fan-out.ts';
import { freshName } from '../harness/topics.ts';

let upstream: UpstreamProducer;
/** One partition, so that a record that held up its partition would hold up all that follow. */
beforeEach(async () => {
  upstream = await startUpstream(freshName('intake'), { partitions: 1 });
});
afterEach(() => upstream.stop());

async function quarantined(fanOut: FanOutHere) {
  const records = await fanOut.readAll(QUARANTINE_TOPIC);
  return records
    .filter(({ headers }) => headerText(headers, 'source')?.startsWith(`${upstream.topic}/`))
    .sort((a, b) => String(a.key).localeCompare(String(b.key)));
}

async function committed(fanOut: FanOutHere): Promise<number> {
  const offsets = await fanOut.admin.committedOffsets(FAN_OUT_GROUP);
  return offsets.find(({ topic }) => topic === upstream.topic)?.offset ?? 0;
}

test('undecodable records are set aside with the reason, unchanged; the others arrive', async () => {
  const customer = freshName('acme');
  const fanOut = await startFanOutHere(`root-cause=${upstream.topic}`, [{ customer }]);
  const good = await upstream.encode(rootCauseEvent());
  await upstream.produceRaw([
    { key: 'good-1', value: good },
    { key: 'json', value: Buffer.from('{"not":"avro"}') },
    { key: 'cut', value: good.subarray(0, 40) },
    { key: 'trailing', value: Buffer.concat([good, Buffer.from('x')]) },
    { key: 'tombstone', value: null, headers: { 'event-id': 'their-id' } },
    { key: 'good-2', value: good },
  ]);
  await fanOut.waitUntilDone(upstream.topic);

  expect(await fanOut.delivered(customer)).toHaveLength(2);
  const records = await quarantined(fanOut);
  const facts = records.map(({ key, value, headers }) => ({
    source: key?.toString(),
    key: headerText(headers, 'intake-key'),
    reason: headerText(headers, 'quarantine-reason'),
    value,
  }));
  expect(facts).toEqual([
    { source: `${upstream.topic}/0/1`, key: 'json', reason: 'malformed-frame', value: Buffer.from('{"not":"avro"}') },
    { source: `${upstream.topic}/0/2`, key: 'cut', reason: 'malformed-data', value: good.subarray(0, 40) },
    {
      source: `${upstream.topic}/0/3`,
      key: 'trailing',
      reason: 'malformed-data',
      value: Buffer.concat([good, Buffer.from('x')]),
    },
    { source: `${upstream.topic}/0/4`, key: 'tombstone', reason: 'no-value', value: Buffer.alloc(0) },
  ]);
  expect(headerText(records[3]?.headers ?? {}, 'event-id')).toBe('their-id');
  expect(headerText(records[1]?.headers ?? {}, 'quarantine-detail')).toMatch(/truncated/);
  expect(await fanOut.count('databridge_fan_out_quarantined_total', { reason: 'malformed-data' })).toBe(2);
});

test('a record with 100,000 headers is set aside and holds up nobody', async () => {
  const customer = freshName('acme');
  const fanOut = await startFanOutHere(`root-cause=${upstream.topic}`, [{ customer }]);
  const good = await upstream.encode(rootCauseEvent());
  const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`h${n}`, '']));
  await upstream.produceRaw([
    { key: 'poison', value: good, headers: { 'event-id': 'theirs', ...many } },
    { key: 'good', value: good },
  ]);
  await fanOut.waitUntilDone(upstream.topic);
  expect(await fanOut.delivered(customer)).toHaveLength(1);
  const [aside] = await quarantined(fanOut);
  expect(aside?.value).toEqual(good);
  expect(headerText(aside?.headers ?? {}, 'quarantine-reason')).toBe('too-many-headers');
  expect(headerText(aside?.headers ?? {}, 'quarantine-detail')).toMatch(/^100001 headers with \d+ bytes/);
});

test('a record that came compressed and is too large for our topics holds up nobody', async () => {
  const customer = freshName('acme');
  const packed = await startUpstream(upstream.topic, { partitions: 1, compression: CompressionTypes.GZIP });
  const fanOut = await startFanOutHere(`root-cause=${upstream.topic}`, [{ customer }]);
  await packed.produce([rootCauseEvent({ transcript: 'la '.repeat(1_000_000) }), rootCauseEvent()]);
  await packed.stop();
  await fanOut.waitUntilDone(upstream.topic);
  expect(await fanOut.delivered(customer)).toHaveLength(1);
  const [aside] = await quarantined(fanOut);
  expect(headerText(aside?.headers ?? {}, 'quarantine-reason')).toBe('too-large');
  expect(headerText(aside?.headers ?? {}, 'source')).toBe(`${upstream.topic}/0/0`);
});

test('a schema id that nobody registered is waited for a while, then quarantined; meanwhile the others arrive', async () => {
  const customer = freshName('acme');
  const fanOut = await startFanOutHere(`root-cause=${upstream.topic}`, [{ customer }]);
  const good = await upstream.encode(rootCauseEvent());
  await upstream.produceRaw([
    { key: 'unknown', value: frame(2_000_000_000, good.subarray(5)) },
    { key: 'good-1', value: good },
  ]);
  await waitFor('the good one is there', async () => (await fanOut.delivered(customer)).length === 1);
  await upstream.produceRaw([{ key: 'good-2', value: good }]);
  await waitFor('the next batch is there', async () => (await fanOut.delivered(customer)).length === 2);
  // Nothing is committed past a record that is still open.
  expect(await quarantined(fanOut)).toEqual([]);
  expect(await committed(fanOut)).toBe(0);

  await fanOut.waitUntilDone(upstream.topic);
  const [record] = await quarantined(fanOut);
  expect(headerText(record?.headers ?? {}, 'quarantine-reason')).toBe('unknown-schema');
});

test('an unreachable registry makes it wait, members of its group all the while; nothing is quarantined', async () => {
  const customer = freshName('acme');
  const { relay, url } = await wayToRegistry();
  relay.way = 'cut';
  const fanOut = await startFanOutHere(`root-cause=${upstream.topic}`, [{ customer }], { registryUrl: url });
  await upstream.produce([rootCauseEvent(), rootCauseEvent()]);
  await waitFor('it waits', () => fanOut.service.notReadyBecause() === 'the schema registry is not reachable');
  expect(await committed(fanOut)).toBe(0);

  relay.way = 'open';
  await fanOut.waitUntilDone(upstream.topic);
  expect(await fanOut.delivered(customer)).toHaveLength(2);
  expect(await quarantined(fanOut)).toEqual([]);
  expect(fanOut.service.notReadyBecause()).toBeUndefined();
});

test('a stop does not wait for the registry; the next start delivers what was left', async () => {
  const customer = freshName('acme');
  const { relay, url } = await wayToRegistry();
  relay.way = 'cut';
  const line = `root-cause=${upstream.topic}`;
  const first = await startFanOutHere(line, [{ customer }], { registryUrl: url });
  await upstream.produce([rootCauseEvent()]);
  await waitFor('it waits', () => first.service.notReadyBecause() !== undefined);
  await first.stop();

  const second = await startFanOutHere(line, [{ customer }]);
  await second.waitUntilDone(upstream.topic);
  expect(await second.delivered(customer)).toHaveLength(1);
});

test('a delivery topic that is missing is waited for; nothing is dropped, and the other customers get theirs', async () => {
  const [missing, there] = [freshName('missing'), freshName('there')];
  const customers = [{ customer: missing, withoutTopics: true }, { customer: there }];
  const fanOut = await startFanOutHere(`root-cause=${upstream.topic}`, customers);
  await upstream.produce([rootCauseEvent()]);
  await waitFor('it waits', () => fanOut.service.notReadyBecause() === 'Kafka refuses to write');
  await waitFor('the other has its copy', async () => (await fanOut.delivered(there)).length === 1);
  expect(await committed(fanOut)).toBe(0);

  await fanOut.admin.ensureTopics(customerTopics(missing));
  await fanOut.waitUntilDone(upstream.topic);
  expect(await fanOut.delivered(missing)).toHaveLength(1);
  expect(await fanOut.delivered(there)).toHaveLength(1);
});

/** A way to the registry that can be cut. */
async function wayToRegistry(): Promise<{ relay: Relay; url: string }> {
  const { port, pathname } = new URL(platform().registryUrl);
  const relay = await Relay.start(Number(port));
  relays.push(relay);
  return { relay, url: `http://127.0.0.1:${relay.port}${pathname}` };
}

const relays: Relay[] = [];
afterAll(async () => {
  await Promise.all(relays.map((relay) => relay.stop()));
});
