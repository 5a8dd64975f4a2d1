import type { Subscription } from '../subscription/subscription.ts';
import { parseSubscription } from '../subscription/subscription.ts';
import { connectionOf, type WorkerStatus, withoutOldHolds } from './status.ts';

function subscription(change: Record<string, unknown> = {}): Subscription {
  const parsed = parseSubscription({
    customer: 'acme',
    eventTypes: ['root-cause'],
    match: { company: ['ACME'] },
    destination: { type: 'http', url: 'https://api.example/' },
    authentication: { type: 'api-key', name: 'x-key', key: 'k' },
    ...change,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return { ...parsed.subscription, secretsSetAt: { 'authentication.key': 1 } };
}

const first = connectionOf(subscription());
const held = { because: 'deauthorized', sinceMs: 1, detail: 'status 401' } as const;
const status: WorkerStatus = {
  ...{ customer: 'acme', worker: 'w', at: 1, breaker: 'closed', waitUntilMs: 60_000, held },
  connection: first,
};

test.each([
  [
    'a key ring rotation, which seals every secret anew',
    subscription({ authentication: { type: 'api-key', name: 'x-key', key: 'sealed-anew' } }),
  ],
  ['another rate', subscription({ ratePerSecond: 5 })],
  ['a fallback that ended', { ...subscription(), fallbacks: {} }],
])('%s keeps holds and waits', (_what, changed) => {
  expect(withoutOldHolds(status, connectionOf(changed))).toEqual(status);
});

test('a new secret ends the hold, and not the wait that the destination asked for', () => {
  const changed = { ...subscription(), secretsSetAt: { 'authentication.key': 2 } };
  expect(withoutOldHolds(status, connectionOf(changed))).toMatchObject({ waitUntilMs: 60_000 });
  expect(withoutOldHolds(status, connectionOf(changed))).not.toHaveProperty('held');
});

test.each([
  ['another address', subscription({ destination: { type: 'http', url: 'https://other.example/' } })],
  ['an enabling', { ...subscription(), enableEpoch: 1 }],
])('%s ends both', (_what, changed) => {
  const left = withoutOldHolds(status, connectionOf(changed));
  expect([left.held, left.waitUntilMs]).toEqual([undefined, undefined]);
});

test.each([
  [
    'event bus',
    'eventbridge',
    { eventBusArn: 'arn:aws:events:eu-central-1:123456789012:event-bus/one' },
    'eventBusArn',
  ],
  ['mail server', 'email', { host: 'mail.example', from: 'a@acme.example', to: ['b@acme.example'] }, 'host'],
])('another %s is another address', (_what, type, destination, place) => {
  const to = (settings: object) =>
    ({ ...subscription(), destination: { type, ...settings } }) as unknown as Subscription;
  const before = { ...status, connection: connectionOf(to(destination)) };
  const moved = to({ ...destination, [place]: `${String(Object.values(destination)[0])}-2` });
  expect(withoutOldHolds(before, connectionOf(to(destination)))).toEqual(before);
  expect(withoutOldHolds(before, connectionOf(moved)).waitUntilMs).toBeUndefined();
});
