/** A customer moves from one destination, or one authentication, to another while events are in flight: nothing is lost. */

import { deadTopic, deliveryTopic, retryTopic } from '@databridge/schemas/records/topics';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { type Answer, Receiver } from '../harness/receiver.ts';
import { CLIENT, startTokenServer } from '../harness/servers/token-server.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.start({ delivery: { BREAKER_MIN_ATTEMPTS: '1000' } });
});

const events = (company: string, count: number) => Array.from({ length: count }, () => rootCauseEvent({ company }));

async function nothingWaits(customer: string): Promise<void> {
  const topics = [deliveryTopic(customer), retryTopic(customer, '1s'), retryTopic(customer, '2s')];
  await eventually(
    async () => {
      const lags = await Promise.all(topics.map((topic) => stage.lag(customer, topic)));
      return lags.reduce((sum, lag) => sum + lag, 0);
    },
    (lag) => lag === 0,
  );
}

/** So slow that many are in flight, and some fail for now, whenever the customer moves. */
const slow = (_request: unknown, nth: number): Answer =>
  nth === 1 && Math.random() < 0.2 ? { status: 503 } : { delayMs: 300 };

test('every event arrives at the old place or the new one, through three moves', async () => {
  const customer = freshName('mover');
  const tokens = await startTokenServer();
  const [basic, gateway, oauth, keyed] = await Promise.all(Array.from({ length: 4 }, () => Receiver.start(slow)));
  if (!basic || !gateway || !oauth || !keyed) throw new Error('four were started');
  const keys = {
    type: 'aws',
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  };
  const steps = [
    [basic, { authentication: { type: 'basic', username: 'acme', password: 'old' } }],
    [gateway, { destination: { type: 'api-gateway', url: gateway.url, region: 'eu-west-1' }, authentication: keys }],
    [
      oauth,
      {
        destination: { format: 'cloudevents-structured', gzip: true },
        authentication: { type: 'oauth', tokenUrl: tokens.url, clientId: CLIENT.id, clientSecret: CLIENT.secret },
      },
    ],
    [keyed, { authentication: { type: 'api-key', name: 'x-key', key: 'newest' } }],
  ] as const;

  const sent = [];
  for (const [receiver, parts] of steps) {
    await stage.subscribe(customer, receiver.url, { maxInFlight: 20, ...parts });
    sent.push(...(await stage.upstream.produce(events(customer, 100))));
    // The next move comes while this one's requests hang on their answers.
    await receiver
      .waitFor(({ requests }) => requests.length >= 20 && requests.some(({ status }) => status === undefined))
      .catch((error: Error) => {
        throw new Error(`${JSON.stringify(parts)}: ${error.message}`);
      });
  }
  await nothingWaits(customer);

  const receivers = [basic, gateway, oauth, keyed];
  const accepted = receivers.flatMap(({ requests }) =>
    requests.filter(({ status }) => status === 200).map(({ id }) => id),
  );
  expect(new Set(accepted).size).toBe(sent.length);
  // Nor was anything sent again that had been accepted: what was in flight ended where it began.
  expect(accepted).toHaveLength(sent.length);
  expect(await stage.read(deadTopic(customer))).toHaveLength(0);
  expect(basic.requests.every(({ headers }) => headers.authorization?.startsWith('Basic '))).toBe(true);
  expect(gateway.requests.every(({ headers }) => headers.authorization?.startsWith('AWS4-HMAC-SHA256 '))).toBe(true);
  expect(oauth.requests.every(({ headers }) => headers.authorization?.startsWith('Bearer '))).toBe(true);
  expect(keyed.requests.every(({ headers }) => headers['x-key'] === 'newest')).toBe(true);
  expect(tokens.front.passed).toHaveLength(1);
});
