/** A customer moves between HTTP, SQS and SNS while events are in flight: every one arrives, here or there. */
import { deadTopic, deliveryTopic } from '@databridge/schemas/records/topics';
import '../harness/clean-slate.ts';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { Moto } from '../harness/peers/moto.ts';
import { FETCH_TIMEOUT_MS } from '../harness/peers/peers-cache.ts';
import { Receiver } from '../harness/receiver.ts';
import { Front } from '../harness/services/front.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

const EVENTS_A_STEP = 60;
const region = Moto.region;
let moto: Moto;
let stage: Stage;

beforeAll(async () => {
  [moto, stage] = await Promise.all([Moto.start(), Stage.start()]);
}, FETCH_TIMEOUT_MS);

test('HTTP to SQS to SNS and back: all arrive, none twice', async () => {
  const customer = freshName('mover');
  const [receiver, front] = await Promise.all([Receiver.start(), Front.start(moto.url)]);
  const queueUrl = await moto.createQueue();
  const topic = await moto.createTopic();
  const keys = { type: 'aws', ...moto.keys };
  const nowhere = { url: undefined, region };
  const steps = [
    { authentication: { type: 'basic', username: 'u', password: 'p' } },
    {
      destination: { ...nowhere, type: 'sqs', queueUrl: front.origin + new URL(queueUrl).pathname },
      authentication: keys,
    },
    {
      destination: { ...nowhere, type: 'sns', topicArn: topic.topicArn, endpoint: front.origin, region: undefined },
      authentication: keys,
    },
    { authentication: { type: 'basic', username: 'u', password: 'p' } },
  ];

  const seen = () => receiver.requests.length + front.passed.length;
  for (const step of steps) {
    await stage.subscribe(customer, receiver.url, { maxInFlight: 20, ...step });
    const produced = Array.from({ length: EVENTS_A_STEP }, () => rootCauseEvent({ company: customer }));
    const before = seen();
    await stage.upstream.produce(produced);
    // The next move comes while this one's requests are under way.
    await eventually(
      async () => seen(),
      (count) => count > before,
    );
  }
  const total = steps.length * EVENTS_A_STEP;
  const topicOf = deliveryTopic(customer);
  await eventually(
    async () => [(await stage.admin.watermarks(topicOf))[0]?.high, await stage.lag(customer, topicOf)],
    ([written, lag]) => written === total && lag === 0,
  );

  const eventIds = async (url: string) =>
    (await moto.received(url)).map(({ MessageAttributes }) => MessageAttributes?.['event-id']?.StringValue);
  const places = [receiver.requests.map(({ id }) => id), await eventIds(queueUrl), await eventIds(topic.queueUrl)];
  expect(Math.min(...places.map(({ length }) => length))).toBeGreaterThan(0);
  expect(places.flat()).toHaveLength(total);
  expect(new Set(places.flat()).size).toBe(total);
  expect(await stage.read(deadTopic(customer))).toHaveLength(0);
});
