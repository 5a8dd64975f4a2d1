/** A healthy destination gets each event once, signed and authorized, and only then is its offset committed. */

import { decodeOffsetSet } from '@databridge/kernel/offsets/offset-set';
import { deliveryTopic } from '@databridge/schemas/records/topics';
import { Webhook } from 'standardwebhooks';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { Receiver } from '../harness/receiver.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.start();
});

const events = (company: string, count: number) => Array.from({ length: count }, () => rootCauseEvent({ company }));

test('each event arrives once, as the published JSON, and the group ends without lag', async () => {
  const customer = freshName('healthy');
  const receiver = await Receiver.start();
  await stage.subscribe(customer, receiver.url);
  const sent = events(customer, 500);
  await stage.upstream.produce(sent);
  await receiver.waitFor(({ accepted }) => accepted === 500);
  expect(receiver.repeats).toBe(0);

  const bodies = receiver.requests.map(({ body }) => JSON.parse(body));
  const wanted = new Set(sent.map(({ summary }) => summary.requestid));
  expect(new Set(bodies.map(({ summary }) => summary.requestid))).toEqual(wanted);
  expect(Object.keys(bodies[0])).toEqual(['schema_version', 'statusCode', 'summary', 'clientwords', 'intent']);
  await eventually(
    () => stage.lag(customer, deliveryTopic(customer)),
    (lag) => lag === 0,
  );
});

test('with Basic, API key and signing, each request says what the receiver checks', async () => {
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const basic = freshName('basic');
  const key = freshName('key');
  const receiver = await Receiver.start();
  await stage.subscribe(basic, receiver.url, {
    authentication: { type: 'basic', username: 'jürgen', password: 'pä:ss' },
    signing: { secrets: [secret] },
    destination: { method: 'PUT', headers: { 'x-tenant': 'blue' } },
  });
  await stage.subscribe(key, receiver.url, { authentication: { type: 'api-key', name: 'X-Api-Key', key: 'k-123' } });
  await stage.upstream.produce([...events(basic, 1), ...events(key, 1)], {
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  });
  await receiver.waitFor(({ accepted }) => accepted === 2);

  const ofBasic = receiver.requests.find(({ method }) => method === 'PUT');
  expect(ofBasic?.headers.authorization).toBe(`Basic ${Buffer.from('jürgen:pä:ss', 'utf8').toString('base64')}`);
  expect(ofBasic?.headers['x-tenant']).toBe('blue');
  const verified = new Webhook(secret).verify(ofBasic?.body ?? '', ofBasic?.headers as Record<string, string>);
  expect(verified).toMatchObject({ schema_version: 'v1.0' });

  const ofKey = receiver.requests.find(({ method }) => method === 'POST');
  expect(ofKey?.headers['x-api-key']).toBe('k-123');
  expect(ofKey?.headers).toMatchObject({
    'content-type': 'application/json',
    'databridge-attempt': '1',
    'databridge-event-type': 'root-cause',
    'databridge-schema-version': 'v1.0',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  });
  expect(ofKey?.headers['webhook-signature']).toBeUndefined();
});

test('no offset is committed before its event is accepted, and those done ahead are remembered', async () => {
  const customer = freshName('held');
  const held = Promise.withResolvers<void>();
  const receiver = await Receiver.start(() =>
    receiver.requests.length === 1 ? { status: 503, after: held.promise } : {},
  );
  await stage.subscribe(customer, receiver.url, { maxInFlight: 4, destination: { timeoutMs: 20_000 } });
  await stage.upstream.produce(events(customer, 20));
  await receiver.waitFor(({ accepted }) => accepted === 19);

  // Those after the one that waits for its answer are done: the commit says so without passing it.
  const doneBeyond = async () => {
    const committed = await stage.admin.committedOffsets(deliveryTopic(customer));
    const main = committed.find(({ topic }) => topic === deliveryTopic(customer));
    const ranges = decodeOffsetSet(main?.offset ?? 0, main?.metadata ?? '');
    return { offset: main?.offset, count: ranges.reduce((sum, { from, to }) => sum + to - from, 0) };
  };
  const { offset } = await eventually(doneBeyond, ({ offset: at = 0, count }) => at + count === 19);
  held.resolve();
  const records = await stage.read(deliveryTopic(customer));
  const heldOffset = records.find(({ headers }) => String(headers['event-id']) === receiver.requests[0]?.id)?.offset;
  expect(offset).toBe(heldOffset);

  await receiver.waitFor(({ accepted }) => accepted === 20);
  await eventually(
    () => stage.lag(customer, deliveryTopic(customer)),
    (lag) => lag === 0,
  );
});

test('a changed subscription takes effect without a restart', async () => {
  const customer = freshName('moving');
  const [before, after] = await Promise.all([Receiver.start(), Receiver.start()]);
  await stage.subscribe(customer, before.url, { authentication: { type: 'api-key', name: 'x-key', key: 'old' } });
  await stage.upstream.produce(events(customer, 10));
  await before.waitFor(({ accepted }) => accepted === 10);

  await stage.subscribe(customer, after.url, { authentication: { type: 'api-key', name: 'x-key', key: 'new' } });
  await stage.upstream.produce(events(customer, 10));
  await after.waitFor(({ accepted }) => accepted === 10);
  expect(after.requests.every(({ headers }) => headers['x-key'] === 'new')).toBe(true);
  expect(before.requests).toHaveLength(10);
});
