import { readDeliveryHeaders } from '@databridge/schemas/records/headers';
import { copyKeyOf } from '@databridge/schemas/records/identity';
import { parseRetryPlan, type RetryPlan } from '@databridge/schemas/retries/retry-plan';
import type { BufferedRecord } from '../lanes/buffered-records.ts';
import { beginAttempt, fateOf } from './fate.ts';

const plan = parseRetryPlan('1s*5', 60_000) as RetryPlan;

test('each retry of an event has a key of its own: a tombstone of one takes away no other', () => {
  const keys: unknown[] = [];
  let facts: BufferedRecord['facts'] = { eventId: 'evt-1', eventType: 'root-cause', source: 'in/0/1', attempt: 0 };
  for (const nowMs of [1_000, 2_000, 3_000]) {
    const lane = { topic: 'delivery.acme', partition: 0, delayMs: 0 };
    const record = { lane, offset: 0, dueAtMs: 0, value: Buffer.alloc(1), facts, copyKey: '', bytes: 513 };
    const begun = beginAttempt('acme', facts, 0, nowMs);
    const fate = fateOf(record, begun, { kind: 'retry', reason: 'down' }, { nowMs, lastSuccessAtMs: undefined }, plan);
    if (fate.kind !== 'moved') throw new Error(`the fate is ${fate.kind}`);
    facts = readDeliveryHeaders(fate.to.headers ?? {});
    expect(fate.to.key).toBe(copyKeyOf(facts));
    keys.push(fate.to.key);
  }
  expect(new Set(keys).size).toBe(3);
});
