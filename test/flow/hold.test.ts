/** When a destination is in trouble, nothing is sent to it but probes, no event pays for that, and all goes on after. */
import { decodeStatus } from '@databridge/schemas/records/status';
import { deadTopic, deliveryTopic, retryTopic, STATUS_TOPIC } from '@databridge/schemas/records/topics';
import { rootCauseEvent } from '../harness/events.ts';
import { eventually } from '../harness/eventually.ts';
import { together } from '../harness/jest/together.ts';
import { Receiver } from '../harness/receiver.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.start({
    delivery: {
      BREAKER_MIN_ATTEMPTS: '5',
      BREAKER_RESET: '2s',
      RETRY_PLAN: '1s*2,2s*2',
    },
  });
});

const events = (company: string, count: number) => Array.from({ length: count }, () => rootCauseEvent({ company }));

async function statusOf(customer: string) {
  const records = await stage.read(STATUS_TOPIC);
  const last = records.filter(({ key }) => key?.toString() === customer).at(-1);
  return last?.value ? decodeStatus(last.value) : undefined;
}

const lagOf = (customer: string) => async () => {
  const topics = [deliveryTopic(customer), retryTopic(customer, '1s'), retryTopic(customer, '2s')];
  const lags = await Promise.all(topics.map((topic) => stage.lag(customer, topic)));
  return lags.reduce((sum, lag) => sum + lag, 0);
};

together({
  'an open breaker lets nothing through; half-open it probes with one event; a success lets all flow': async () => {
    const customer = freshName('down');
    const receiver = await Receiver.start(() => ({ status: 503, delayMs: 20 }));
    await stage.subscribe(customer, receiver.url, { maxInFlight: 5 });
    await stage.upstream.produce(events(customer, 200));
    await stage.delivery.waitForLog((line) => line['customer'] === customer && line['breaker'] === 'open');
    await receiver.waitFor(({ requests }) => requests.every(({ status }) => status !== undefined));
    const untilOpen = receiver.requests.length;
    expect(untilOpen).toBeLessThan(20);
    expect(
      await eventually(
        () => statusOf(customer),
        (status) => status?.breaker === 'open',
      ),
    ).toBeDefined();

    await receiver.waitFor(({ requests }) => requests.length > untilOpen);
    // The failed probe opens it again: in the next two seconds nothing more may come.
    await receiver.waitFor(({ requests }) => requests.length > untilOpen + 1);
    const probes = receiver.requests.slice(untilOpen, untilOpen + 2);
    expect((probes[1]?.receivedAtMs ?? 0) - (probes[0]?.receivedAtMs ?? 0)).toBeGreaterThanOrEqual(1_900);
    // The probe is the event that has waited the longest since its first attempt; those are read by the second at the latest.
    expect(receiver.timesById.get(probes[1]?.id ?? '')).toBeGreaterThan(1);

    receiver.script = () => ({});
    await receiver.waitFor(({ accepted }) => accepted === 200);
    await eventually(lagOf(customer), (lag) => lag === 0);
  },

  'a wrong key holds the customer and costs no event anything; the right one lets all flow': async () => {
    const customer = freshName('locked');
    const receiver = await Receiver.start(({ headers }) => ({ status: headers['x-key'] === 'right' ? 200 : 401 }));
    await stage.subscribe(customer, receiver.url, { authentication: { type: 'api-key', name: 'x-key', key: 'wrong' } });
    await stage.upstream.produce(events(customer, 300));
    const status = await eventually(
      () => statusOf(customer),
      (found) => found?.held !== undefined,
    );
    expect(status?.held).toMatchObject({ because: 'deauthorized', detail: 'status 401' });
    const untilHeld = receiver.requests.length;
    await receiver.waitFor(({ requests }) => requests.length >= untilHeld + 2);
    // At most what was in flight when the first answer came (64), and then a probe now and then.
    expect(receiver.requests.length).toBeLessThan(75);

    await stage.subscribe(customer, receiver.url, { authentication: { type: 'api-key', name: 'x-key', key: 'right' } });
    await receiver.waitFor(({ accepted }) => accepted === 300);
    await eventually(lagOf(customer), (lag) => lag === 0);
    expect(await stage.read(deadTopic(customer))).toHaveLength(0);
    const accepted = receiver.requests.filter(({ status: answered }) => answered === 200);
    expect(accepted.every(({ headers }) => headers['databridge-attempt'] === '1')).toBe(true);
  },

  'one event that is answered 403 for its content is refused once others succeeded; they are delivered': async () => {
    const customer = freshName('firewall');
    const receiver = await Receiver.start(({ body }) => ({ status: body.includes('<script>') ? 403 : 200 }));
    await stage.subscribe(customer, receiver.url);
    const poison = rootCauseEvent({ company: customer, transcript: '<script>' });
    await stage.upstream.produce([poison, ...events(customer, 30)]);
    await receiver.waitFor(({ accepted }) => accepted === 30);
    await eventually(
      () => stage.read(deadTopic(customer)),
      (letters) => letters.length === 1,
    );
    await eventually(lagOf(customer), (lag) => lag === 0);
  },

  'a wrong URL does not empty the backlog into dead letters': async () => {
    const customer = freshName('lost');
    const receiver = await Receiver.start(({ url }) => ({ status: url === '/right' ? 200 : 404 }));
    await stage.subscribe(customer, receiver.url, { maxInFlight: 4 });
    await stage.upstream.produce(events(customer, 200));
    await eventually(
      () => statusOf(customer),
      (status) => status?.held?.because === 'refusals',
    );
    const letters = () => stage.read(deadTopic(customer));
    expect((await letters()).length).toBeLessThan(20);

    await stage.subscribe(customer, new URL('/right', receiver.url).href);
    await eventually(lagOf(customer), (lag) => lag === 0);
    // Counted at the end: some may have been on their way when it was held.
    expect(receiver.accepted + (await letters()).length).toBe(200);
    expect(receiver.accepted).toBeGreaterThan(175);
  },

  '410, and an endpoint that is down to the last attempt, disable: all stays; enabling delivers it with new budgets':
    async () => {
      const customer = freshName('dead');
      const receiver = await Receiver.start(() => ({ status: 500 }));
      await stage.subscribe(customer, receiver.url);
      await stage.upstream.produce(events(customer, 3));
      const status = await eventually(
        () => statusOf(customer),
        (found) => found?.disabledEpoch === 0,
        120_000,
      );
      expect(status?.disabledBecause).toMatch(/exhausted: status 500/);
      await eventually(
        async () => (await stage.admin.groupState(deliveryTopic(customer))).state,
        (state) => state === 'Empty',
      );
      const sent = receiver.requests.length;
      await stage.upstream.produce(events(customer, 2));
      expect(await stage.read(deadTopic(customer))).toHaveLength(0);
      expect(receiver.requests).toHaveLength(sent);

      receiver.script = () => ({});
      await (await stage.api()).act(customer, 'enable');
      await receiver.waitFor(({ accepted }) => accepted === 5);
      await eventually(lagOf(customer), (lag) => lag === 0);
      const resumed = receiver.requests.slice(sent);
      expect(resumed.every(({ headers }) => headers['databridge-attempt'] === '1')).toBe(true);
    },
});

test('Retry-After holds the whole customer, outlives a restart, and wins over the plan when it is later', async () => {
  const customer = freshName('patient');
  const waitSeconds = 4;
  let isFirst = true;
  const receiver = await Receiver.start(() => {
    if (!isFirst) return {};
    isFirst = false;
    return { status: 429, headers: { 'retry-after': String(waitSeconds) } };
  });
  await stage.subscribe(customer, receiver.url, { maxInFlight: 1 });
  await stage.upstream.produce(events(customer, 10));
  await receiver.waitFor(({ requests }) => requests.length === 1);
  await eventually(
    () => statusOf(customer),
    (status) => status?.waitUntilMs !== undefined,
  );
  await stage.delivery.stop();
  await stage.restartDelivery();
  await receiver.waitFor(({ accepted }) => accepted === 10);
  const [first, second] = receiver.requests;
  expect((second?.receivedAtMs ?? 0) - (first?.receivedAtMs ?? 0)).toBeGreaterThanOrEqual(waitSeconds * 1_000);
});
