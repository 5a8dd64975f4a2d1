/** EventBridge on moto, which checks signatures: a rule passes what the bus accepts to a queue. */
import { destinationSuite, type Kind } from '../../../../test/contract/destination-suite.ts';
import { message, openFor } from '../../../../test/harness/destinations.ts';
import { Moto } from '../../../../test/harness/peers/moto.ts';
import { FETCH_TIMEOUT_MS } from '../../../../test/harness/peers/peers-cache.ts';
import { Front } from '../../../../test/harness/services/front.ts';
import { freshName } from '../../../../test/harness/topics.ts';
import { answers } from './answers.fixture.ts';

let moto: Moto;

beforeAll(async () => {
  moto = await Moto.start();
}, FETCH_TIMEOUT_MS);

const ask = (action: string, parameters: object) => moto.ask('events', `AWSEvents.${action}`, parameters);

/** A bus whose one rule passes our events to a queue. */
async function createBus(): Promise<{ eventBusArn: string; queueUrl: string }> {
  const name = freshName('bus');
  const { EventBusArn } = await ask('CreateEventBus', { Name: name });
  const queueUrl = await moto.createQueue();
  const EventPattern = JSON.stringify({ source: ['databridge.events'], 'detail-type': ['root-cause'] });
  await ask('PutRule', { Name: name, EventBusName: name, EventPattern, State: 'ENABLED' });
  const target = { Id: 'queue', Arn: await moto.arnOfQueue(queueUrl) };
  await ask('PutTargets', { Rule: name, EventBusName: name, Targets: [target] });
  return { eventBusArn: String(EventBusArn), queueUrl };
}

const received = async (queueUrl: string) =>
  (await moto.received(queueUrl)).map(({ Body = '' }) => JSON.parse(Body) as { detail: Detail });

interface Detail {
  readonly metadata: { readonly eventId: string };
  readonly data: unknown;
}

let queueUrl = '';
const kind: Kind = {
  answers,
  tooLarge: { bytes: 262_144 },
  async open(times) {
    const front = await Front.start(moto.url);
    const bus = await createBus();
    queueUrl = bus.queueUrl;
    const destination = { type: 'eventbridge', eventBusArn: bus.eventBusArn, endpoint: front.origin, ...times };
    return { front, destination: openFor({ destination, authentication: { type: 'aws', ...moto.keys } }) };
  },
  bodies: async () => (await received(queueUrl)).map(({ detail }) => JSON.stringify(detail.data)),
};

destinationSuite('EventBridge on moto', kind);

test('many events arrive once each, with their ids; a wrong key is the fault of the connection', async () => {
  const bus = await createBus();
  const destination = { type: 'eventbridge', eventBusArn: bus.eventBusArn, endpoint: moto.url };
  const opened = openFor({ destination, authentication: { type: 'aws', ...moto.keys } });
  const events = Array.from({ length: 26 }, () => message());
  const sent = await Promise.all(events.map((event) => opened.send(event, Date.now())));
  expect(new Set(sent.map((one) => one?.outcome.kind))).toEqual(new Set(['delivered']));
  const ids = (await received(bus.queueUrl)).map(({ detail }) => detail.metadata.eventId);
  expect(ids.sort()).toEqual(events.map(({ eventId }) => eventId).sort());
  const wrong = openFor({
    destination,
    authentication: { type: 'aws', ...moto.keys, secretAccessKey: 'x'.repeat(40) },
  });
  expect((await wrong.send(message(), Date.now()))?.outcome).toMatchObject({ kind: 'deauthorized' });
});
