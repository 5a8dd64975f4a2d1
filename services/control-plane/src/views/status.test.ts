import { customerStatuses } from './status.ts';

type Context = Parameters<typeof customerStatuses>[0];

const nowMs = Date.now();

/** One active customer, whose worker wrote a status record an hour ago, or none yet. */
function contextOf(recorded: number | undefined, delivered: number | undefined): Context {
  const subscription = {
    ...{ customer: 'acme', state: 'active', enableEpoch: 0, eventTypes: [], match: { company: ['ACME'] } },
    ...{ destination: { type: 'http', url: 'https://public.example/' }, authentication: { type: 'none' } },
  };
  const status = { customer: 'acme', worker: 'w', at: nowMs - 3_600_000, breaker: 'closed', lastSuccessAtMs: recorded };
  return {
    subscriptions: async () => new Map([['acme', subscription]]),
    workerStatuses: async () => new Map(recorded === undefined ? [] : [['acme', status]]),
    workers: () => [],
    lastDelivered: () => delivered,
    oldestWaiting: () => ({ eventId: 'e', firstAtMs: nowMs - 60_000, attempts: 2 }),
    retryPlan: { maxAttempts: 185, windowMs: 86_400_000 },
    attemptCounts: async () => new Map([['acme', { delivered: 2 }]]),
    admin: { listTopics: async () => [], committedOffsets: async () => [] },
    watermarks: async () => new Map(),
  } as unknown as Context;
}

test.each([
  ['no record yet', undefined, nowMs - 1_000, nowMs - 1_000],
  ['an older record', nowMs - 7_200_000, nowMs - 1_000, nowMs - 1_000],
  ['a newer record', nowMs - 1_000, nowMs - 7_200_000, nowMs - 1_000],
  ['a record, and no attempt in 24 hours', nowMs - 90_000_000, undefined, nowMs - 90_000_000],
  ['neither', undefined, undefined, undefined],
])('the last success with %s', async (_what, recorded, delivered, lastSuccessAtMs) => {
  const [status] = await customerStatuses(contextOf(recorded, delivered));
  expect(status?.lastSuccessAtMs).toBe(lastSuccessAtMs);
  // What was delivered since the oldest event was first tried saves the customer from being disabled.
  expect(status?.disablesAtMs !== undefined).toBe((lastSuccessAtMs ?? 0) < nowMs - 60_000);
});
