/** What is deleted earlier than before never surprises: neither what waits, nor dead letters of earlier versions. */
import type { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { DAY_MS, type Retention } from '@databridge/schemas/privacy/retention';
import type { Operation } from '@databridge/schemas/records/operations';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { ControlPlaneContext } from '../context.ts';
import { tendRetention } from './retention.ts';

const NOW_MS = 1_000 * DAY_MS;
const MAIN = 'delivery.acme';
const RETRY = 'delivery.acme.retry.1m';
const DEAD = 'delivery.acme.dead';

/** @param ages of the records of each topic, in days, the oldest first @param done how many of them are done */
function kafkaWith(
  settings: Record<string, Record<string, string>>,
  {
    ages = {},
    done = {},
    erasure = 'done',
  }: { ages?: Record<string, number[]>; done?: Record<string, number>; erasure?: Operation['state'] } = {},
) {
  const changes: Record<string, Record<string, string>> = {};
  const admin = {
    listTopics: async () => Object.keys(settings),
    topicSettings: async (topics: readonly string[]) =>
      new Map(topics.flatMap((topic) => (settings[topic] ? [[topic, settings[topic]] as const] : []))),
    changeTopicSettings: async (topics: readonly string[], changed: Record<string, string>) => {
      for (const topic of topics) changes[topic] = { ...changes[topic], ...changed };
      return [...topics];
    },
    committedOffsets: async () =>
      Object.entries(done).map(([topic, offset]) => ({ topic, partition: 0, offset, metadata: '' })),
    watermarks: async (topic: string) => [{ partition: 0, low: 0, high: ages[topic]?.length ?? 0 }],
    offsetsAtTime: async (topic: string, atMs: number) => {
      const times = (ages[topic] ?? []).map((days) => NOW_MS - days * DAY_MS);
      const first = times.findIndex((time) => time >= atMs);
      return [{ partition: 0, offset: first < 0 ? times.length : first }];
    },
  };
  const tend = async (state: Subscription['state'], retention?: Partial<Retention>) => {
    const subscription = { customer: 'acme', state, enableEpoch: 0, ...(retention && { retention }) };
    const context = {
      admin: admin as unknown as KafkaAdmin,
      subscriptions: async () => new Map([['acme', subscription as unknown as Subscription]]),
      workerStatuses: async () => new Map(),
      operations: async () => new Map([['op', { kind: 'erase', state: erasure } as Operation]]),
    } satisfies Pick<ControlPlaneContext, 'admin' | 'subscriptions' | 'workerStatuses' | 'operations'>;
    await tendRetention(context, NOW_MS);
    return Object.fromEntries(
      Object.entries(changes).map(([topic, { 'retention.ms': ms, ...rest }]) => [
        topic,
        [Number(ms) / DAY_MS, ...Object.values(rest)],
      ]),
    );
  };
  return { tend };
}

const kept = (days: number) => ({ 'retention.ms': String(days * DAY_MS), 'cleanup.policy': 'delete' });
const letters = (days: number) => ({ 'retention.ms': String(days * DAY_MS), 'cleanup.policy': 'compact,delete' });
const unlimited = { 'retention.ms': '-1', 'cleanup.policy': 'delete' };

test('what the subscription states is set, for each kind of topic; what is right already is left', async () => {
  const kafka = kafkaWith({ [MAIN]: kept(14), [RETRY]: kept(14), [DEAD]: letters(90) });
  expect(await kafka.tend('active')).toEqual({});
  expect(await kafka.tend('active', { deliveryDays: 30, retryDays: 7, deadLetterDays: 365 })).toEqual({
    [MAIN]: [30],
    [RETRY]: [7],
    [DEAD]: [365, 'compact,delete'],
  });
});

test('a stopped customer’s lanes are kept for longer, its dead letters are not', async () => {
  const kafka = kafkaWith({ [MAIN]: kept(14), [RETRY]: kept(14), [DEAD]: letters(90) });
  expect(await kafka.tend('paused')).toEqual({ [MAIN]: [90], [RETRY]: [90] });
});

test.each<[string, number[], number, object]>([
  ['an old backlog waits: the longer limit stays', [50, 8, 1], 0, {}],
  ['what is old is done: the usual limit', [50, 8, 1], 2, { [MAIN]: [14] }],
])('active again, and %s', async (_what, ages, done, expected) => {
  const kafka = kafkaWith({ [MAIN]: kept(90) }, { ages: { [MAIN]: ages }, done: { [MAIN]: done } });
  expect(await kafka.tend('active')).toEqual(expected);
});

test.each([
  [[10], 90],
  [[84, 10], 180],
  [[200, 10], 360],
])(
  'a customer that was stopped without a limit gets one that deletes nothing within a week: %j days',
  async (ages, days) => {
    const kafka = kafkaWith({ [MAIN]: unlimited }, { ages: { [MAIN]: ages } });
    expect(await kafka.tend('disabled')).toEqual({ [MAIN]: [days] });
  },
);

test('a shorter limit while a customer is stopped waits until nothing would be deleted within a week', async () => {
  const given = { [MAIN]: kept(90) };
  expect(await kafkaWith(given, { ages: { [MAIN]: [10] } }).tend('paused', { stoppedDays: 14 })).toEqual({});
  expect(await kafkaWith(given, { ages: { [MAIN]: [6] } }).tend('paused', { stoppedDays: 14 })).toEqual({
    [MAIN]: [14],
  });
});

test.each([
  [[10], 90],
  [[400], 720],
])('dead letters without a limit get one that deletes nothing within a week: %j days', async (ages, days) => {
  const given = { [DEAD]: { 'cleanup.policy': 'compact' }, 'fan-out.quarantine': { 'cleanup.policy': 'compact' } };
  const kafka = kafkaWith(given, { ages: { [DEAD]: ages, 'fan-out.quarantine': ages } });
  const expected = [days, 'compact,delete'];
  expect(await kafka.tend('active')).toEqual({ [DEAD]: expected, 'fan-out.quarantine': expected });
});

test('a longer limit of dead letters stays, until the subscription states another', async () => {
  const kafka = kafkaWith({ [DEAD]: letters(720) }, { ages: { [DEAD]: [400] } });
  expect(await kafka.tend('active')).toEqual({});
  expect(await kafka.tend('active', { deadLetterDays: 30 })).toEqual({ [DEAD]: [30, 'compact,delete'] });
});

test('a lane is compacted only while a call is erased', async () => {
  const compacted = { [MAIN]: { ...kept(14), 'cleanup.policy': 'compact,delete' } };
  expect(await kafkaWith(compacted, { erasure: 'running' }).tend('active')).toEqual({});
  expect(await kafkaWith(compacted).tend('active')).toEqual({ [MAIN]: [Number.NaN, 'delete'] });
});
