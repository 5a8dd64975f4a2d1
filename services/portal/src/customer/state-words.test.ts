import type { Status } from '@databridge/schemas/api/types';
import { burnt, stateWords } from './state-words.ts';

const HOUR_MS = 3_600_000;
const NOW_MS = 100 * HOUR_MS;

const status = (changes: Partial<Status> = {}): Status => ({
  ...{ customer: 'acme', state: 'active', runBy: 'worker-1', lagByLane: { main: 0 }, deadRecords: 0, attempts: {} },
  budget: { maxAttempts: 185, windowMs: 24 * HOUR_MS },
  ...changes,
});
const worker = { customer: 'acme', worker: 'worker-1', at: NOW_MS, breaker: 'closed' as const };
const held = { because: 'deauthorized' as const, sinceMs: NOW_MS - 3 * HOUR_MS, detail: 'HTTP 401' };

test.each<[string, Partial<Status>, string]>([
  ['nothing waits', {}, 'Delivering: nothing waits.'],
  ['one waits', { lagByLane: { main: 1 } }, 'Delivering: 1 event waits.'],
  [
    'held',
    { worker: { ...worker, held }, disablesAtMs: NOW_MS + 3 * HOUR_MS + 600_000 },
    'Held since 3 h ago: your API does not accept our credentials (HTTP 401). Disabled in 3 h 10 min unless one delivery succeeds.',
  ],
  [
    'the breaker is open',
    { worker: { ...worker, breaker: 'open' } },
    'Waiting: your API fails, so one event at a time tries it.',
  ],
  [
    'a wait is asked for',
    { worker: { ...worker, waitUntilMs: NOW_MS + 90_000 } },
    'Waiting for 1 min 30 s: your API asked to wait (Retry-After).',
  ],
  ['a wait that is over', { worker: { ...worker, waitUntilMs: NOW_MS } }, 'Delivering: nothing waits.'],
  ['no worker', { runBy: undefined }, 'Not running: no worker has taken it yet.'],
  ['paused', { state: 'paused' }, 'Paused: events wait until it is resumed.'],
  [
    'not approved yet',
    { state: 'paused', awaitsApproval: true },
    'Paused: an operator has to approve the set-up. Until then, only test events are sent.',
  ],
  [
    'disabled by an operator',
    { state: 'disabled', disabledBy: 'operator' },
    'Disabled by an operator. Nothing is lost.',
  ],
])('%s', (_what, changes, sentence) => {
  expect(stateWords(status(changes), NOW_MS).sentence).toBe(sentence);
});

test('who needs help comes first', () => {
  const given = {
    fine: status(),
    busy: status({ lagByLane: { main: 9 } }),
    paused: status({ state: 'paused' }),
    stated: status({ state: 'paused', awaitsApproval: true }),
    retrying: status({ disablesAtMs: NOW_MS + HOUR_MS }),
    failing: status({ worker: { ...worker, breaker: 'open' } }),
    held: status({ worker: { ...worker, held } }),
    lost: status({ runBy: undefined }),
    disabled: status({ state: 'disabled', disabledBy: 'worker' }),
  };
  const order = Object.entries(given)
    .sort(([, a], [, b]) => stateWords(b, NOW_MS).urgency - stateWords(a, NOW_MS).urgency)
    .map(([name]) => name);
  expect(order).toEqual(['disabled', 'lost', 'held', 'failing', 'retrying', 'stated', 'paused', 'busy', 'fine']);
});

test('the budget of the oldest waiting event, by attempts and by time', () => {
  const oldestWaiting = { eventId: 'a', firstAtMs: NOW_MS - 6 * HOUR_MS, attempts: 37 };
  expect(burnt(status({ oldestWaiting }), NOW_MS)).toEqual({ attempts: 0.2, time: 0.25 });
  expect(burnt(status(), NOW_MS)).toBeUndefined();
});
