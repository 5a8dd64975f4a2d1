/** Fan-out copies each event to every customer that subscribed to it, and to no other, bytes and id untouched. */
import { SchemaRegistry } from '@databridge/kernel/registry/schema-registry';
import { loadEventTypes } from '@databridge/schemas/event/event-types';
import { headerText } from '@databridge/schemas/records/headers';
import { intakeTopic } from '@databridge/schemas/records/topics';
import { rootCauseEvent } from '../harness/events.ts';
import { platform } from '../harness/platform.ts';
import { startUpstream, type UpstreamProducer } from '../harness/produce.ts';
import { type FanOutHere, startFanOutHere } from '../harness/services/fan-out.ts';
import { freshName } from '../harness/topics.ts';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const [rootCause] = loadEventTypes('root-cause=unused');
const rootCauseReader = rootCause?.readerFor(rootCause.schemaJson);

async function foldersDelivered(fanOut: FanOutHere, customer: string): Promise<string[]> {
  const copies = await fanOut.delivered(customer);
  return copies.map(({ value }) => String(rootCauseReader?.routing(value ?? Buffer.alloc(0)).folder)).sort();
}

let upstream: UpstreamProducer;
beforeAll(async () => {
  upstream = await startUpstream(freshName('intake'));
});
afterAll(() => upstream.stop());

test('an event reaches those whose company, organisation and folder match; the others don’t see it', async () => {
  const [all, acme, sales, other] = ['all', 'acme', 'sales', 'other'].map(freshName) as [
    string,
    string,
    string,
    string,
  ];
  const fanOut = await startFanOutHere(`root-cause=${upstream.topic}`, [
    { customer: all },
    { customer: acme, match: { company: ['ACME'], folder: ['Support', 'Sales'] } },
    { customer: sales, match: { folder: ['Sales'] } },
    { customer: other, match: { organisation: ['South'] } },
  ]);

  await upstream.produce([
    rootCauseEvent({ company: 'ACME', folder: 'Support' }),
    rootCauseEvent({ company: 'ACME', folder: 'Sales' }),
    rootCauseEvent({ company: 'Other', folder: 'Sales' }),
    rootCauseEvent({ company: 'Other', folder: 'Returns' }),
  ]);
  await fanOut.waitUntilDone(upstream.topic);

  expect(await foldersDelivered(fanOut, all)).toEqual(['Returns', 'Sales', 'Sales', 'Support']);
  expect(await foldersDelivered(fanOut, acme)).toEqual(['Sales', 'Support']);
  expect(await foldersDelivered(fanOut, sales)).toEqual(['Sales', 'Sales']);
  expect(await foldersDelivered(fanOut, other)).toEqual([]);
});

test('the copy is the intake’s bytes under a stable id, and says where it came from', async () => {
  const customer = freshName('acme');
  const fanOut = await startFanOutHere(`root-cause=${upstream.topic}`, [{ customer, match: { company: [customer] } }]);
  const event = rootCauseEvent({ company: customer });
  const [first] = await upstream.produce([event], { traceparent: TRACEPARENT, 'x-internal': 'not passed on' });
  await upstream.produce([event]);
  await upstream.produce([event], { 'event-id': 'their-own-id' });
  await fanOut.waitUntilDone(upstream.topic);

  const copies = await fanOut.delivered(customer);
  expect(copies.map(({ value }) => value)).toEqual([first?.value, first?.value, first?.value]);
  const ids = copies.map(({ headers }) => headerText(headers, 'event-id'));
  expect(ids.filter((id) => id === 'their-own-id')).toHaveLength(1);
  // The same event, produced twice, is one event.
  expect(new Set(ids).size).toBe(2);
  // A key of its own for each record, so that one can be removed and no other (docs/decisions/erasure.md).
  expect(copies.map(({ key }) => key?.toString())).toEqual(
    copies.map(({ headers }, nth) => `0 0 ${ids[nth]}@${headerText(headers, 'source')}`),
  );

  const traced = copies.find(({ headers }) => headers['traceparent'] !== undefined);
  const names = ['event-id', 'event-type', 'intake-at', 'source', 'traceparent'];
  expect(Object.keys(traced?.headers ?? {}).sort()).toEqual(names);
  expect(headerText(traced?.headers ?? {}, 'traceparent')).toBe(TRACEPARENT);
  expect(headerText(traced?.headers ?? {}, 'event-type')).toBe('root-cause');
  expect(headerText(traced?.headers ?? {}, 'source')).toMatch(new RegExp(`^${upstream.topic}/\\d+/\\d+$`));
});

test('an event that nobody subscribed to is counted', async () => {
  const customer = freshName('acme');
  const fanOut = await startFanOutHere(`root-cause=${upstream.topic}`, [{ customer, match: { company: [customer] } }]);
  await upstream.produce([rootCauseEvent({ company: 'Nobody' }), rootCauseEvent({ company: customer })]);
  await fanOut.waitUntilDone(upstream.topic);
  expect(await fanOut.count('databridge_fan_out_events_total', { outcome: 'unmatched' })).toBe(1);
  expect(await fanOut.count('databridge_fan_out_events_total', { outcome: 'matched' })).toBe(1);
});

test('a filter on the content lets through what it is true of, and what it can’t be asked about', async () => {
  const company = freshName('filtered');
  const [support, unclear, all] = ['support', 'unclear', 'all'].map(freshName) as [string, string, string];
  const match = { company: [company] };
  const fanOut = await startFanOutHere(`root-cause=${upstream.topic}`, [
    { customer: support, match, filter: 'event.intent.call_intent.category_name == "support"' },
    { customer: unclear, match, filter: 'int(event.summary.folder) > 7' },
    { customer: all, match },
  ]);
  const event = (folder: string) => rootCauseEvent({ company, folder });
  const sales = event('8');
  sales.intent.call_intent.category_name = 'sales';
  await upstream.produce([event('Support'), event('7'), sales]);
  await fanOut.waitUntilDone(upstream.topic);

  expect(await foldersDelivered(fanOut, support)).toEqual(['7', 'Support']);
  expect(await foldersDelivered(fanOut, unclear)).toEqual(['8', 'Support']);
  expect(await foldersDelivered(fanOut, all)).toEqual(['7', '8', 'Support']);
  expect(await fanOut.count('databridge_fan_out_filtered_total')).toBe(2);
  expect(await fanOut.count('databridge_fan_out_filter_failures_total', { customer: unclear })).toBe(1);
});

test('a paused customer’s events go to its topic all the same', async () => {
  const customer = freshName('acme');
  const fanOut = await startFanOutHere(`root-cause=${upstream.topic}`, [
    { customer, match: { company: [customer] }, state: 'paused' },
  ]);
  await upstream.produce([rootCauseEvent({ company: customer })]);
  await fanOut.waitUntilDone(upstream.topic);
  expect(await fanOut.delivered(customer)).toHaveLength(1);
});

test('a second event type needs its schema and its place in the line of configuration', async () => {
  const fields = [{ name: 'company', type: 'string' }];
  const schema = JSON.stringify({ type: 'record', name: 'CallQuality', fields });
  const [rootCause] = loadEventTypes(`root-cause=${upstream.topic}`);
  const [quality] = loadEventTypes(`call-quality=${freshName('quality')}`, { 'call-quality': schema });
  if (!rootCause || !quality) throw new Error('no event types');
  const customer = freshName('acme');
  const fanOut = await startFanOutHere(
    [rootCause, quality],
    [{ customer, eventTypes: ['call-quality'], match: { company: [customer] } }],
    { topics: [intakeTopic(quality.topic, 1)] },
  );
  const registry = new SchemaRegistry({ url: platform().registryUrl });
  const id = await registry.register(quality.subject, quality.schemaJson);
  const value = quality.encode(id, { company: customer });

  await upstream.produce([rootCauseEvent({ company: customer })]);
  await fanOut.produce(quality.topic, value);
  await fanOut.waitUntilDone(upstream.topic);
  await fanOut.waitUntilDone(quality.topic);
  const copies = await fanOut.delivered(customer);
  expect(copies.map((copy) => copy.value)).toEqual([value]);
});
