import type { WorkerStatus } from '@databridge/schemas/records/status';
import { gateReasons, rateReasons } from './gate-reasons.ts';
import type { WaitingRecord } from './waiting-records.ts';

const nowMs = Date.UTC(2026, 0, 1);
const worker: WorkerStatus = { customer: 'acme', worker: 'w', at: nowMs, breaker: 'closed' };
const status = { customer: 'acme', state: 'active' as const, runBy: 'w', worker };
const due = { dueAtMs: nowMs } as WaitingRecord;
const later = { dueAtMs: nowMs + 60_000 } as WaitingRecord;
const held = { because: 'deauthorized' as const, sinceMs: nowMs, detail: 'status 401' };

test.each([
  ['events are sent', {}, [due], []],
  ['paused', { state: 'paused' as const }, [due], ['paused']],
  ['not approved', { state: 'paused' as const, awaitsApproval: true as const }, [], ['awaits_approval']],
  ['disabled by its worker', { state: 'disabled' as const, disabledBy: 'worker' as const }, [due], ['disabled']],
  ['no worker', { runBy: undefined }, [due], ['no_worker']],
  ['a worker that cannot', { failing: 'its secrets are sealed by an unknown key' }, [due], ['cannot_run']],
  ['Retry-After', { worker: { ...worker, waitUntilMs: nowMs + 5_000 } }, [due], ['retry_after']],
  ['an old Retry-After', { worker: { ...worker, waitUntilMs: nowMs - 5_000 } }, [due], []],
  ['not authorized', { worker: { ...worker, held } }, [due], ['deauthorized']],
  ['an open breaker', { worker: { ...worker, breaker: 'open' as const } }, [due], ['breaker']],
  ['only retries to come', {}, [later], ['not_due']],
  ['nothing', {}, [], ['nothing_waits']],
  [
    'several, the first to be mended first',
    { worker: { ...worker, held, waitUntilMs: nowMs + 5_000 } },
    [later],
    ['retry_after', 'deauthorized', 'not_due'],
  ],
] as const)('%s', (_, more, waiting, expected) => {
  const found = gateReasons({ ...status, ...more } as typeof status, waiting, nowMs);
  expect(found.map(({ because }) => because)).toEqual(expected);
});

const rate = { ratePerSecond: 10, deliveredPerSecond: 9.6, records: 500 };

test.each([
  ['delivered as fast as the limit permits', rate, true],
  ['delivered more slowly', { ...rate, deliveredPerSecond: 5 }, false],
  ['what waits is sent within a second', { ...rate, records: 10 }, false],
  ['no limit', { ...rate, ratePerSecond: undefined }, false],
] as const)('the rate limit is the reason: %s', (_, facts, expected) => {
  const detail = 'Events wait because the subscription limits deliveries to 10 per second.';
  expect(rateReasons('acme', facts)).toEqual(expected ? [expect.objectContaining({ because: 'rate', detail })] : []);
});
