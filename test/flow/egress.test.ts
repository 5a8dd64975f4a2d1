/** What may not be sent to is not sent to: the customer waits, no event pays for it, and the others flow. */
import { LOOPBACK_EGRESS } from '@databridge/kernel/egress/egress-settings';
import { decodeAttempts } from '@databridge/schemas/records/attempts';
import { decodeStatus } from '@databridge/schemas/records/status';
import { ATTEMPTS_TOPIC, deadTopic, deliveryTopic, retryTopic, STATUS_TOPIC } from '@databridge/schemas/records/topics';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { Receiver } from '../harness/receiver.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

let stage: Stage;

beforeAll(async () => {
  // Of loopback this worker knows one address only; who applies subscriptions allows all of it.
  stage = await Stage.start({ delivery: { EGRESS_ALLOW_CIDRS: '127.0.0.2' } });
});

const events = (company: string, count: number) => Array.from({ length: count }, () => rootCauseEvent({ company }));
const at = (url: string, host: string) => url.replace('127.0.0.1', host);

async function lastStatusOf(customer: string) {
  const records = await stage.read(STATUS_TOPIC);
  const last = records.filter(({ key }) => key?.toString() === customer).at(-1);
  return last?.value ? decodeStatus(last.value) : undefined;
}

async function attemptsOf(customer: string) {
  const records = await stage.read(ATTEMPTS_TOPIC);
  const batches = records.map(({ value }) => value && decodeAttempts(value));
  return batches.flatMap((batch) => (batch?.customer === customer ? batch.attempts : []));
}

test('events for what may not be sent to wait, unsent and unspent, until it may be', async () => {
  // An address, which nobody looks up, and a name that leads to it.
  const waiting = await Promise.all(
    ['127.0.0.1', 'localhost'].map(async (host) => ({
      host,
      customer: freshName('closed'),
      receiver: await Receiver.start(),
    })),
  );
  for (const { customer, receiver, host } of waiting) await stage.subscribe(customer, at(receiver.url, host));
  await stage.upstream.produce(waiting.flatMap(({ customer }) => events(customer, 100)));

  for (const { customer, receiver } of waiting) {
    const status = await eventually(
      () => lastStatusOf(customer),
      (found) => found?.held !== undefined,
    );
    expect(status?.held).toMatchObject({ because: 'blocked', detail: expect.stringContaining('loopback') });
    expect(status?.breaker).toBe('closed');
    const attempts = await eventually(
      () => attemptsOf(customer),
      (found) => found.length > 0,
    );
    expect(new Set(attempts.map(({ outcome, attempt }) => `${outcome} ${attempt}`))).toEqual(new Set(['blocked 1']));
    expect(receiver.requests).toEqual([]);
  }

  await stage.delivery.stop();
  await stage.restartDelivery({ ...LOOPBACK_EGRESS });
  for (const { customer, receiver } of waiting) {
    await receiver.waitFor(({ accepted }) => accepted === 100);
    expect(receiver.requests.every(({ headers }) => headers['databridge-attempt'] === '1')).toBe(true);
    for (const topic of [deadTopic(customer), retryTopic(customer, '1s')]) expect(await stage.read(topic)).toEqual([]);
    await eventually(
      () => stage.lag(customer, deliveryTopic(customer)),
      (lag) => lag === 0,
    );
  }
});

test('a redirect is not followed: what it points at hears nothing', async () => {
  const customer = freshName('redirected');
  const inside = await Receiver.start();
  let turn = 0;
  const statuses = [301, 302, 303, 307, 308];
  const receiver = await Receiver.start(() => ({
    status: statuses[turn++] ?? 302,
    headers: { location: inside.url },
  }));
  await stage.subscribe(customer, receiver.url, { maxInFlight: 1 });
  await stage.upstream.produce(events(customer, statuses.length));
  const dead = await eventually(
    () => stage.read(deadTopic(customer)),
    (found) => found.length === statuses.length,
  );
  expect(dead).toHaveLength(statuses.length);
  expect(receiver.requests.map(({ status }) => status)).toEqual(statuses);
  expect(inside.requests).toEqual([]);
});
