/**
 * The forecast of `databridge explain`, made at several moments of an outage, against when the real `Customer` then
 * disables itself. Its inputs are what the control plane sees: records in the lanes, the status, the attempts.
 */
import { EventEmitter } from 'node:events';
import { type CustomerFacts, explained } from '@databridge/control-plane/explain/explain-customer';
import { paceOf } from '@databridge/control-plane/explain/pace';
import type { WaitingRecord } from '@databridge/control-plane/explain/waiting-records';
import type { Outcome } from '@databridge/delivery/attempt/outcome';
import { CommitPace } from '@databridge/delivery/customer/commit-pace';
import { Customer } from '@databridge/delivery/customer/customer';
import type { CustomerDependencies } from '@databridge/delivery/customer/dependencies';
import type { Message } from '@databridge/delivery/destination/destination';
import type { BufferedRecord } from '@databridge/delivery/lanes/buffered-records';
import { ByteBudget } from '@databridge/delivery/lanes/byte-budget';
import { deliveryMetrics } from '@databridge/delivery/metrics';
import { InFlight } from '@databridge/delivery/shares/in-flight';
import { Turns } from '@databridge/delivery/shares/turns';
import { createLogger } from '@databridge/kernel/log';
import { createRegistry } from '@databridge/kernel/metrics';
import { systemClock } from '@databridge/kernel/time/clock';
import { ManualClock } from '@databridge/kernel/time/manual-clock';
import { type Attempt, decodeAttempts } from '@databridge/schemas/records/attempts';
import { readDeliveryHeaders } from '@databridge/schemas/records/headers';
import { decodeStatus, type WorkerStatus } from '@databridge/schemas/records/status';
import { deliveryTopic, parseDelay, retryTopic } from '@databridge/schemas/records/topics';
import { parseRetryPlan, type RetryPlan } from '@databridge/schemas/retries/retry-plan';
import { Random } from './random.ts';
import { SimulatedGroup, SimulatedKafka } from './simulated-kafka.ts';
import { subscribed } from './surroundings.ts';

const CUSTOMER = 'down';
const EPOCH_MS = Date.UTC(2026, 0, 1);
const STEP_MS = 500;
const RECENTLY_MS = 120_000;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

interface Outage {
  readonly name: string;
  readonly plan: string;
  readonly windowMs: number;
  readonly events: number;
  /** How long an attempt takes. */
  readonly attemptMs: number;
  /** Left out: the breaker stays closed. */
  readonly breakerResetMs?: number;
  readonly outcome: Outcome;
  /** How coarsely the moment can be known: a held connection is probed once a minute, and nothing tells when. */
  readonly grainMs?: number;
}

const down: Outcome = { kind: 'retry', reason: 'status 503', status: 503 };

const OUTAGES: readonly Outage[] = [
  {
    name: 'attempts run out',
    plan: '10s*3,30s*6,1m*10',
    windowMs: 7_200_000,
    events: 1,
    attemptMs: 1_000,
    outcome: down,
  },
  { name: 'the window runs out', plan: '10s*2,1m*40', windowMs: 2_520_000, events: 3, attemptMs: 8_000, outcome: down },
  {
    name: 'an open breaker lets probes through alone',
    ...{
      plan: '10s*3,1m*30',
      windowMs: 2_400_000,
      events: 40,
      attemptMs: 2_000,
      breakerResetMs: 30_000,
      outcome: down,
    },
  },
  {
    name: 'the connection is held',
    ...{ plan: '10s*3,1m*20', windowMs: 1_800_000, events: 5, attemptMs: 500, grainMs: 60_000 },
    outcome: { kind: 'deauthorized', reason: 'status 401', status: 401 },
  },
];

beforeEach(() => jest.useFakeTimers({ now: EPOCH_MS, doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

test.each(OUTAGES)('$name: the forecast is within 5 % of what is left', async (outage) => {
  const plan = parseRetryPlan(outage.plan, outage.windowMs) as RetryPlan;
  const clock = new ManualClock(EPOCH_MS);
  const kafka = new SimulatedKafka(() => clock.monotonicMs());
  const lanes = [deliveryTopic(CUSTOMER), ...plan.steps.map(({ delay }) => retryTopic(CUSTOMER, delay))];
  const attempts: Attempt[] = [];
  let status: WorkerStatus | undefined;
  let disabledAtMs: number | undefined;
  let group: SimulatedGroup | undefined;
  for (let n = 0; n < outage.events; n++) {
    const headers = { 'event-id': `e${n}`, 'event-type': 'any', source: `intake/0/${n}` };
    kafka.append({ topic: deliveryTopic(CUSTOMER), key: `e${n}`, value: 'x', headers }, EPOCH_MS);
  }

  const subscription = subscribed({ customer: CUSTOMER, maxInFlight: 10 });
  const dependencies: CustomerDependencies = {
    worker: 'w',
    openGroup: (options) => {
      group = new SimulatedGroup(kafka, options, new Random(1));
      return group;
    },
    ensureTopic: async () => undefined,
    producer: {
      async send(records) {
        for (const record of records) {
          if (record.topic.startsWith('delivery.')) kafka.append(record, EPOCH_MS);
          else {
            attempts.push(...(decodeAttempts(Buffer.from(record.value as string))?.attempts ?? []));
            status = decodeStatus(Buffer.from(record.value as string)) ?? status;
          }
        }
      },
      connect: async () => undefined,
      disconnect: async () => undefined,
    },
    messages: { render: (record, attempt) => messageOf(record, attempt) },
    budget: new ByteBudget(1e9),
    inFlight: new InFlight({ requests: 1_000, bytes: 1e9 }),
    turns: new Turns(() => 0),
    ...{ clock, plan },
    log: createLogger('forecast', 'silent'),
    metrics: deliveryMetrics(
      createRegistry('forecast'),
      { bufferedBytes: () => 0, customers: () => 0, customersWanted: () => 0, connections: () => 0 },
      {
        worker: 'w',
        clock: systemClock,
        eventTypes: ['root-cause'],
        shown: 'all',
        bufferedBytesLimit: 1,
        connectionsLimit: 1,
      },
    ),
    breaker: {
      resetAfterMs: outage.breakerResetMs ?? 1,
      minAttempts: outage.breakerResetMs === undefined ? 1e9 : 5,
      ...{ failurePercentage: 50, windowMs: 10_000 },
    },
    breakerRotation: new EventEmitter(),
    commitPace: new CommitPace(200, 200),
    ...{ statusIntervalMs: 15_000, maxRetryAfterMs: 3_600_000, abortAfterMs: 1e9 },
    openDestination: () => ({
      send: () => new Promise((resolve) => clock.after(outage.attemptMs, () => resolve({ outcome: outage.outcome }))),
      close: async () => undefined,
      abort: async () => undefined,
    }),
    onDisabled: () => {
      disabledAtMs = clock.nowMs();
    },
  };
  const customer = new Customer(subscription, 'same', undefined, lanes.slice(1), dependencies);
  await customer.start(new AbortController().signal);

  const forecasts: { readonly madeAtMs: number; readonly atMs: number | undefined }[] = [];
  const endMs = EPOCH_MS + 3 * outage.windowMs;
  while (disabledAtMs === undefined && clock.nowMs() < endMs) {
    for (const topic of lanes) await group?.fetch(topic, 100);
    clock.advance(STEP_MS);
    // opossum keeps its own time.
    jest.advanceTimersByTime(STEP_MS);
    await turn();
    if ((clock.nowMs() - EPOCH_MS) % 60_000 !== 0) continue;
    const atMs = explained(factsNow(), 0).disabling?.atMs;
    forecasts.push({ madeAtMs: clock.nowMs(), atMs });
  }

  function factsNow(): CustomerFacts {
    const nowMs = clock.nowMs();
    const waiting = lanes.flatMap((topic): WaitingRecord[] =>
      kafka.log(topic).flatMap(({ offset, timestampMs, headers }) => {
        if (kafka.isCommitted(topic, offset)) return [];
        const lane = topic === deliveryTopic(CUSTOMER) ? 'main' : (topic.split('.').at(-1) as string);
        const dueAtMs = timestampMs + (parseDelay(lane) ?? 0);
        const place = { customer: CUSTOMER, lane, topic, partition: 0, offset };
        return [{ ...place, atMs: timestampMs, dueAtMs, facts: readDeliveryHeaders(headers) }];
      }),
    );
    const recent = attempts.filter(({ at }) => at >= nowMs - RECENTLY_MS);
    const known = { customer: CUSTOMER, state: 'active' as const, runBy: 'w', worker: status };
    const counts = { lagByLane: { main: 0 }, deadRecords: 0, attempts: {}, budget: plan };
    return { status: { ...known, ...counts }, waiting, pace: paceOf(recent, nowMs), plan, enableEpoch: 0, nowMs };
  }

  expect(disabledAtMs).toBeDefined();
  // From the third minute on there have been attempts to go by; near the end, steps of the simulation count.
  const judged = forecasts.slice(2).filter(({ madeAtMs }) => (disabledAtMs ?? 0) - madeAtMs > 60_000);
  expect(judged.length).toBeGreaterThan(5);
  const wrong = judged.filter(({ madeAtMs, atMs = 0 }) => {
    const leftMs = (disabledAtMs ?? 0) - madeAtMs;
    return Math.abs(atMs - (disabledAtMs ?? 0)) > 0.05 * leftMs + (outage.grainMs ?? 2 * STEP_MS);
  });
  expect(
    wrong.map(({ madeAtMs, atMs = 0 }) => ({
      minute: (madeAtMs - EPOCH_MS) / 60_000,
      offByMs: atMs - (disabledAtMs ?? 0),
    })),
  ).toEqual([]);
});

function messageOf(record: BufferedRecord, attempt: number): Message {
  const { eventId, eventType } = record.facts;
  return { eventId, eventType, schemaVersion: 'v1.0', attempt, traceparent: undefined, body: Buffer.from('x') };
}
