/** A token ends while thousands of deliveries wait: one of them asks for the next, all use it, and no event pays for it. */
import { deadTopic, deliveryTopic } from '@databridge/schemas/records/topics';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { type ReceivedRequest, Receiver } from '../harness/receiver.ts';
import { CLIENT, startTokenServer } from '../harness/servers/token-server.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

const EVENTS = 2_000;
/** A fifth of it is left unused; a worker that stands still for the rest would never use the first token. */
const FIRST_LIFETIME_SECONDS = 5;
const HOLD_SECONDS = 6;

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.start({ delivery: { BREAKER_MIN_ATTEMPTS: '100000' } });
});

test('2,000 deliveries whose token ends while they wait cause one token request', async () => {
  const customer = freshName('token');
  const lifetimes = [FIRST_LIFETIME_SECONDS];
  const tokens = await startTokenServer(() => lifetimes.shift() ?? 600);
  // With the first token it asks for patience: until that has ended, all wait.
  const bearerOf = ({ headers }: ReceivedRequest) => headers.authorization?.slice('Bearer '.length) ?? '';
  const receiver = await Receiver.start((request) => {
    const isFirstToken = bearerOf(request) === bearerOf(receiver.requests[0] as ReceivedRequest);
    return isFirstToken ? { status: 503, headers: { 'retry-after': String(HOLD_SECONDS) } } : {};
  });
  const subscribe = (state: string) =>
    stage.subscribe(customer, receiver.url, {
      authentication: { type: 'oauth', tokenUrl: tokens.url, clientId: CLIENT.id, clientSecret: CLIENT.secret },
      maxInFlight: 200,
      state,
    });
  await subscribe('paused');
  await stage.upstream.produce(Array.from({ length: EVENTS }, () => rootCauseEvent({ company: customer })));
  const written = async () => (await stage.admin.watermarks(deliveryTopic(customer)))[0]?.high;
  await eventually(written, (count) => count === EVENTS);

  await subscribe('active');
  await receiver.waitFor(({ accepted }) => accepted === EVENTS);
  const [first = '', second = '', ...others] = new Set(receiver.requests.map(bearerOf));
  expect(others).toEqual([]);
  expect([await tokens.isValid(first), await tokens.isValid(second)]).toEqual([false, true]);
  expect(tokens.front.passed).toHaveLength(2);
  // Nothing was turned away, and what was accepted came once.
  expect(new Set(receiver.requests.map(({ status }) => status))).toEqual(new Set([503, 200]));
  expect(receiver.requests.filter((request) => bearerOf(request) === second)).toHaveLength(EVENTS);
  expect(await stage.read(deadTopic(customer))).toHaveLength(0);
});
