/** Records with anything in them: each is taken, set aside or passed over with a word; none throws, none stops a lane. */
import { EventEmitter } from 'node:events';
import { Gate } from '@databridge/delivery/gate/gate';
import { ByteBudget } from '@databridge/delivery/lanes/byte-budget';
import { LaneSet } from '@databridge/delivery/lanes/lane-set';
import { routeRecords } from '@databridge/fan-out/routing/route';
import type { ConsumedRecord, RecordHeaders } from '@databridge/kernel/kafka/records';
import { ManualClock } from '@databridge/kernel/time/manual-clock';
import { loadEventTypes } from '@databridge/schemas/event/event-types';
import { anyText } from '@databridge/schemas/event/text-fixture';
import { decodeAttempts } from '@databridge/schemas/records/attempts';
import {
  HEADER,
  readDeadLetterHeaders,
  readDeliveryHeaders,
  writeDeadLetterHeaders,
} from '@databridge/schemas/records/headers';
import { decodeStatus, effectiveState } from '@databridge/schemas/records/status';
import { decodeInterest, decodeSubscription } from '@databridge/schemas/subscription/subscription';
import fc from 'fast-check';

const [rootCause] = loadEventTypes('root-cause=root-cause.events');
if (!rootCause) throw new Error('no event type');
const reader = { kind: 'reader', reader: rootCause.readerFor(rootCause.schemaJson) } as const;
const call = { filename: '', requestid: '', company: 'ACME', organisation: 'NA', folder: 'Support' };
const GOOD = rootCause.encode(1, {
  schema_version: 'v1.0',
  statusCode: 200,
  summary: { ...call, processed: true, process_result: 'Complete' },
});

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
/** A good event with some of its bytes changed, cut off or added. */
const damaged = fc
  .tuple(fc.nat(GOOD.length), fc.uint8Array({ maxLength: 8 }), fc.nat(8))
  .map(([at, patch, dropped]) => Buffer.concat([GOOD.subarray(0, at), patch, GOOD.subarray(at + dropped)]));
const value = fc.option(fc.oneof(bytes, damaged), { nil: null });
const headerName = fc.oneof(fc.constantFrom(...Object.values(HEADER)), anyText());
const headerValue = fc.oneof(bytes, anyText(), fc.array(bytes, { maxLength: 3 }));
/** As kafkajs gives them: null, too, whatever its types say. */
const headers = fc.dictionary(headerName, fc.option(headerValue, { nil: null })) as fc.Arbitrary<RecordHeaders>;
const timestampMs = fc.oneof(fc.integer(), fc.constantFrom(-1, 0, Number.MAX_SAFE_INTEGER));
const record = fc.record({ offset: fc.constant(0), timestampMs, key: fc.option(bytes, { nil: null }), value, headers });
const records = fc.array(record, { maxLength: 20 }).map((list) => list.map((one, offset) => ({ ...one, offset })));

test('intake: every record is copied to its customers or set aside with a reason', () => {
  fc.assert(
    fc.property(records, (list) => {
      const { matched, unmatched, quarantined, undecided } = routeRecords(list, {
        eventType: 'root-cause',
        intake: { topic: 'root-cause.events', partition: 0 },
        readerOf: () => reader,
        customersFor: () => ['acme'],
        filteredAmong: () => [],
        ask: () => ({ kind: 'matches' }),
      });
      expect(matched + unmatched + quarantined.length).toBe(list.length);
      expect(undecided).toEqual([]);
      expect(quarantined.map(({ reason }) => reason)).not.toContain('internal');
    }),
    { numRuns: 100 },
  );
});

const TOPIC = 'delivery.acme.retry.1s';

function heldBy(list: readonly ConsumedRecord[], committed: { offset: number; metadata: string } | undefined) {
  const clock = new ManualClock();
  const place = { topic: TOPIC, partition: 0 };
  const membership = { memberId: 'a', assignment: [place], isCurrent: true, continues: undefined };
  const lanes = new LaneSet({ ...membership, hasLease: () => true }, new ByteBudget(1_000_000).join(), clock);
  lanes.restore(committed ? [{ ...place, ...committed }] : [], () => 1_000);
  lanes.accept({ ...place, records: list, nextOffset: list.length, highWatermark: list.length });
  clock.advance(1_000);
  const taken: ConsumedRecord['offset'][] = [];
  // Whatever calls itself a test waits for no turn.
  for (const one of lanes.takeTests()) {
    taken.push(one.offset);
    lanes.done(one);
  }
  for (let next = lanes.offer(clock.monotonicMs()); typeof next === 'object'; next = lanes.offer(clock.monotonicMs())) {
    lanes.take(next);
    taken.push(next.offset);
    // What becomes of one that is never accepted: it must be possible to write it on.
    writeDeadLetterHeaders({ ...next.facts, reason: 'refused' });
    lanes.done(next);
  }
  return { taken, lanes };
}

test('lanes: whatever the headers and times say, all comes due within the lane’s delay, and its offset gets done', () => {
  fc.assert(
    fc.property(records, (list) => {
      const { taken, lanes } = heldBy(list, undefined);
      const forks = lanes.takeForks();
      const full = list.filter((one) => one.value !== null);
      const tests = full.filter((one) => readDeliveryHeaders(one.headers).testWithinMs !== undefined);
      // A test may be too late to be sent.
      expect(taken.length + forks).toBeGreaterThanOrEqual(full.length - tests.length);
      expect(taken.length + forks).toBeLessThanOrEqual(full.length);
      const [commit] = lanes.commitPoints('all');
      expect(commit?.point.offset ?? 0).toBe(list.length);
    }),
    { numRuns: 100 },
  );
});

test('commit metadata that is not ours passes over nothing', () => {
  const plain = Array.from({ length: 10 }, (_, offset) => ({
    offset,
    timestampMs: 0,
    key: null,
    value: GOOD,
    headers: { [HEADER.eventId]: String(offset) },
  }));
  const notOurs = fc.oneof(fc.string(), anyText()).filter((text) => !text.startsWith('A'));
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10 }), notOurs, (offset, metadata) => {
      expect(heldBy(plain, { offset, metadata }).taken).toEqual(plain.slice(offset).map((one) => one.offset));
    }),
  );
  // Even what begins like ours is nonsense or a set of offsets, never a reason to fail.
  fc.assert(
    fc.property(fc.nat(10), fc.base64String(), (offset, text) => {
      const { taken } = heldBy(plain, { offset, metadata: `A${text}` });
      expect(taken.every((one) => one >= offset)).toBe(true);
    }),
  );
});

const json = fc.json().map((text) => Buffer.from(text));
const STATUS = {
  customer: 'acme',
  worker: 'w',
  at: 1,
  breaker: 'closed',
  committed: [{ topic: 't', partition: 0, offset: 1, metadata: '' }],
};
const place = fc.record({ topic: fc.string(), partition: fc.integer(), offset: fc.integer(), metadata: fc.string() });
/** A good status with one field of any value. */
const oddStatus = fc
  .tuple(
    fc.constantFrom('waitUntilMs', 'held', 'lastSuccessAtMs', 'disabledEpoch', 'breaker', 'committed', 'at'),
    fc.oneof(
      fc.jsonValue(),
      fc.double(),
      fc.array(place, { minLength: 1, maxLength: 2 }),
      fc.record({ because: fc.constant('refusals'), sinceMs: fc.double(), detail: fc.string() }),
    ),
  )
  .map(([field, odd]) => Buffer.from(JSON.stringify({ ...STATUS, [field]: odd })));

test('status: what can’t be read is no status; what can never holds a customer longer than a destination may ask for', () => {
  const maxWaitMs = 3_600_000;
  const breaker = { resetAfterMs: 1_000, minAttempts: 5, failurePercentage: 50, windowMs: 1_000 };
  fc.assert(
    fc.property(fc.oneof(bytes, json, oddStatus), (raw) => {
      const status = decodeStatus(raw);
      if (status === undefined) return;
      effectiveState({ state: 'active', enableEpoch: 0 }, status);
      for (const { offset, partition } of status.committed ?? [])
        expect(Math.min(offset, partition)).toBeGreaterThanOrEqual(0);
      const options = { ratePerSecond: undefined, maxWaitMs, breaker, breakerRotation: new EventEmitter() };
      const gate = new Gate({ ...options, clock: new ManualClock(), onChange: () => undefined }, 0);
      gate.restore(status, { wallMs: 1_000, monotonicMs: 0 });
      const permit = gate.permit(0);
      if (permit.kind === 'closed') expect(permit.untilMs).toBeLessThanOrEqual(maxWaitMs);
      gate.status({ wallMs: 1_000, monotonicMs: 0 });
      gate.stop();
    }),
    { numRuns: 150 },
  );
});

test('subscriptions and attempts: an unreadable record is reported as such, and never thrown', () => {
  const subscription = {
    customer: 'acme',
    eventTypes: ['root-cause'],
    destination: { type: 'http', url: 'https://a.example' },
  };
  const odd = fc
    .tuple(fc.constantFrom('match', 'destination', 'authentication', 'signing', 'maxInFlight', 'state'), fc.jsonValue())
    .map(([field, oddValue]) => Buffer.from(JSON.stringify({ ...subscription, [field]: oddValue })));
  fc.assert(
    fc.property(fc.oneof(bytes, json, odd), (raw) => {
      const parsed = decodeSubscription('acme', raw);
      if (!parsed.ok) expect(parsed.issues.length).toBeGreaterThan(0);
      decodeInterest(raw);
      decodeAttempts(raw);
    }),
    { numRuns: 150 },
  );
});

test('dead letters: whatever their headers say, there is an event id, a type and a reason', () => {
  fc.assert(
    fc.property(headers, (any) => {
      const { eventId, eventType, reason } = readDeadLetterHeaders(any);
      expect([typeof eventId, typeof eventType, typeof reason]).toEqual(['string', 'string', 'string']);
    }),
  );
});
