import { type CustomerFacts, conditionsOf } from './conditions.ts';

const HOUR_MS = 3_600_000;
const nowMs = Date.UTC(2026, 10, 26, 12);

const healthy: CustomerFacts = {
  customer: 'acme',
  state: 'active',
  runBy: 'delivery-1',
  lagByLane: { main: 0 },
  deadRecords: 0,
  worker: { customer: 'acme', worker: 'delivery-1', at: nowMs, breaker: 'closed', lastSuccessAtMs: nowMs - 60_000 },
};
const worker = (more: Partial<NonNullable<CustomerFacts['worker']>>) =>
  ({ worker: { ...healthy.worker, ...more } }) as Pick<CustomerFacts, 'worker'>;

const judged = (facts: Partial<CustomerFacts>) =>
  conditionsOf({ customers: [{ ...healthy, ...facts } as CustomerFacts], quarantined: 0 }, nowMs).map(
    ({ kind, severity, level, text }) => ({
      ...{ kind, severity, level, text },
    }),
  );

test('a customer to which everything is delivered gives no notice', () => {
  expect(judged({})).toEqual([]);
  expect(judged({ lagByLane: { main: 3, '10s': 2 } })).toEqual([]);
});

test.each<[string, Partial<CustomerFacts>, string, string]>([
  [
    'disabled by its worker',
    {
      state: 'disabled',
      disabledBy: 'worker',
      lagByLane: { main: 1_200 },
      ...worker({ disabledBecause: 'no attempt succeeded for 24 h' }),
    },
    'disabled',
    'by its worker: no attempt succeeded for 24 h. 1,200 events wait; nothing is lost.',
  ],
  [
    'disabled by an operator',
    { state: 'disabled', disabledBy: 'operator' },
    'disabled',
    'by an operator. No event waits.',
  ],
  [
    'held',
    worker({ held: { because: 'deauthorized', sinceMs: nowMs - HOUR_MS, detail: 'status 401: <secret>' } }),
    'held',
    'held since 2026-11-26 11:00 UTC: the endpoint does not accept the authentication',
  ],
  [
    'behind',
    { ...worker({ lastSuccessAtMs: nowMs - HOUR_MS }), lagByLane: { '5m': 1 } },
    'behind',
    '1 event waits; nothing is lost.',
  ],
  ['with dead letters', { deadRecords: 2 }, 'dead-letters', 'up to 2 dead letters'],
  [
    'with a certificate that ends',
    { certificateEndsAtMs: nowMs + 6 * 24 * HOUR_MS },
    'certificate',
    'ends at 2026-12-02',
  ],
  [
    'with records to be deleted',
    { expiring: { waiting: 0, deadLetters: 3 } },
    'deletion',
    'up to 3 dead letters will be',
  ],
  [
    'in a rotation that ends',
    { fallback: { place: 'authentication.key', untilMs: nowMs + HOUR_MS } },
    'secret',
    'is used until 2026-11-26 13:00 UTC, then the new one alone',
  ],
  [
    'that answered an invitation',
    { answered: { kind: 'setup', atMs: nowMs - HOUR_MS, awaitsApproval: true } },
    'invitation',
    '"acme" has set itself up. No event is sent before it is approved: "databridge approve acme".',
  ],
  ['with a certificate that ended', { certificateEndsAtMs: nowMs - HOUR_MS }, 'certificate', 'ended at'],
])('a customer %s gives a notice', (_, facts, kind, text) => {
  expect(judged(facts)).toEqual([expect.objectContaining({ kind, text: expect.stringContaining(text) })]);
});

test.each<[string, Partial<CustomerFacts>]>([
  ['a rotation has time left', { fallback: { place: 'authentication.key', untilMs: nowMs + 7 * HOUR_MS } }],
  ['a rotation is over', { fallback: { place: 'authentication.key', untilMs: nowMs } }],
  ['an answer is old', { answered: { kind: 'secrets', atMs: nowMs - 25 * HOUR_MS, awaitsApproval: false } }],
  ['nothing is to be deleted', { expiring: { waiting: 0, deadLetters: 0 } }],
])('no notice while %s', (_, facts) => {
  expect(judged(facts)).toEqual([]);
});

test('what the endpoint answered is not in a notice: an answer may quote the event', () => {
  const held = { because: 'refusals', sinceMs: nowMs, detail: 'status 422: transcript of the call' } as const;
  expect(JSON.stringify(judged(worker({ held })))).not.toContain('transcript');
});

test.each([
  [0.4, undefined],
  [0.5, 0],
  [0.69, 0],
  [0.7, 1],
  [0.95, 2],
])('with %d of the time for retries used, the level is %s', (share, level) => {
  const sinceMs = nowMs - share * 24 * HOUR_MS;
  const found = judged({ outage: { sinceMs, disablesAtMs: sinceMs + 24 * HOUR_MS } });
  expect(found.map((one) => one.level)).toEqual(level === undefined ? [] : [level]);
  for (const { text } of found)
    expect(text).toMatch(/Deliveries will be disabled at 2026-11-\d\d \d\d:\d\d UTC unless/);
});

test('a paused customer gives no notice, since somebody wanted it so', () => {
  expect(judged({ state: 'paused', lagByLane: { main: 9 }, ...worker({ lastSuccessAtMs: 0 }) })).toEqual([]);
});

test('an active customer that no worker runs, and the quarantine, are for operators to know', () => {
  const { runBy: _, ...unattended } = healthy;
  const found = conditionsOf({ customers: [unattended], quarantined: 7 }, nowMs);
  expect(found.map(({ kind, customer }) => [kind, customer])).toEqual([
    ['not-running', 'acme'],
    ['quarantine', undefined],
  ]);
});
