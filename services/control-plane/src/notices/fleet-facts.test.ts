import { NOTHING_EXPIRES } from '../observe/expiring-records.ts';
import { FleetReader } from './fleet-facts.ts';

const HOUR_MS = 3_600_000;
const nowMs = Date.UTC(2026, 10, 26, 12);

type Context = ConstructorParameters<typeof FleetReader>[0];

/** One worker runs customers that all lack a success; the views are those of a test, and Kafka is not asked. */
function contextOf(customers: readonly string[], lastSuccessAtMs: number): Context {
  const subscription = (customer: string) => ({
    ...{ customer, state: 'active', enableEpoch: 1, eventTypes: [], match: {} },
    ...{ destination: { type: 'http', url: 'https://public.example/' }, authentication: { type: 'none' } },
  });
  const status = (customer: string) => ({ customer, worker: 'w', at: nowMs, breaker: 'open', lastSuccessAtMs });
  const topics = customers.flatMap((customer) => [`delivery.${customer}`, `delivery.${customer}.retry.10s`]);
  return {
    subscriptions: async () => new Map(customers.map((one) => [one, subscription(one)])),
    workerStatuses: async () => new Map(customers.map((one) => [one, status(one)])),
    invitations: async () => new Map(),
    workers: () => [],
    lastDelivered: () => undefined,
    oldestWaiting: () => undefined,
    retryPlan: { windowMs: 24 * HOUR_MS },
    attemptCounts: async () => new Map(),
    admin: { listTopics: async () => topics, committedOffsets: async () => [] },
    watermarks: async (asked: readonly string[]) =>
      new Map(asked.map((topic) => [topic, topic.includes('.retry.') ? [{ partition: 0, low: 0, high: 2 }] : []])),
  } as unknown as Context;
}

test('customers without a success for an hour are explained, ten at a time, and each once in five minutes', async () => {
  const names = Array.from({ length: 12 }, (_, i) => `c-${i + 10}`);
  const explained: string[] = [];
  const reader = new FleetReader(
    contextOf(names, nowMs - 2 * HOUR_MS),
    async (customer) => {
      explained.push(customer);
      return {
        budget: { eventId: 'e', attempts: 20, maxAttempts: 185, usedMs: 2 * HOUR_MS, windowMs: 24 * HOUR_MS },
        disabling: { atMs: nowMs + 21 * HOUR_MS, because: 'exhausted' },
      };
    },
    () => NOTHING_EXPIRES,
  );
  const first = await reader.read(nowMs);
  expect(explained).toHaveLength(10);
  expect(first.customers.filter(({ outage }) => outage !== undefined)).toHaveLength(10);
  expect(first.customers[0]?.outage).toEqual({ sinceMs: nowMs - 2 * HOUR_MS, disablesAtMs: nowMs + 21 * HOUR_MS });
  await reader.read(nowMs + 10_000);
  expect(explained).toHaveLength(12);
  await reader.read(nowMs + 20_000);
  expect(explained).toHaveLength(12);
  await reader.read(nowMs + 310_000);
  expect(explained).toHaveLength(22);
});

test('a customer to which something was delivered of late is not explained', async () => {
  const reader = new FleetReader(
    contextOf(['acme'], nowMs - HOUR_MS / 2),
    () => Promise.reject(new Error('nothing is to be explained')),
    () => NOTHING_EXPIRES,
  );
  expect((await reader.read(nowMs)).customers[0]?.outage).toBeUndefined();
});

test('answered invitations, rotations and what is deleted soon are among the facts', async () => {
  const untilMs = nowMs + HOUR_MS;
  const context = contextOf(['acme', 'other'], nowMs);
  const stored = await context.subscriptions();
  const acme = {
    ...(stored.get('acme') as object),
    awaitsApproval: true,
    fallbacks: { 'authentication.key': { secret: 'x', untilMs } },
  };
  const used = { customer: 'acme', kind: 'setup', state: 'used', changedAtMs: nowMs - 5 };
  const reader = new FleetReader(
    {
      ...context,
      subscriptions: async () => new Map<string, object>([...stored, ['acme', acme]]),
      invitations: async () =>
        new Map([
          ['1', used],
          ['2', { ...used, state: 'open', changedAtMs: nowMs }],
        ]),
    } as unknown as Context,
    () => Promise.reject(new Error('nothing is to be explained')),
    () => ({ ...NOTHING_EXPIRES, deadLetters: new Map([['other', 3]]) }),
  );
  const [one, other] = (await reader.read(nowMs)).customers;
  expect(one).toMatchObject({
    answered: { kind: 'setup', atMs: nowMs - 5, awaitsApproval: true },
    fallback: { place: 'authentication.key', untilMs },
    expiring: { waiting: 0, deadLetters: 0 },
  });
  expect(other).toMatchObject({ expiring: { waiting: 0, deadLetters: 3 } });
  expect(other).not.toHaveProperty('answered');
});
