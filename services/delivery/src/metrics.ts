import { ATTEMPT_OUTCOMES } from '@databridge/schemas/records/attempts';
import { DEAD_LETTER_REASONS } from '@databridge/schemas/records/reasons';
import { HOLD_REASONS } from '@databridge/schemas/records/status';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { DISABLE_REASONS } from './attempt/verdict.ts';

export type DeliveryMetrics = ReturnType<typeof deliveryMetrics>;

const OWN_FAULTS = ['produce', 'commit'] as const;

/** Values that are looked up when Prometheus scrapes. */
export interface Levels {
  heldBytes(): number;
  customers(): number;
  /** Requests under way, by customer. */
  inFlight(): Iterable<readonly [customer: string, count: number]>;
}

/** Finds a series once: looking it up by its labels costs more than counting. */
class Series<T> {
  readonly #known = new Map<string, Map<string, T>>();
  readonly #make: (first: string, second: string) => T;

  constructor(make: (first: string, second: string) => T) {
    this.#make = make;
  }

  of(first: string, second = ''): T {
    const known = this.#known.get(first)?.get(second);
    if (known !== undefined) return known;
    const made = this.#make(first, second);
    const seconds = this.#known.get(first) ?? new Map<string, T>();
    this.#known.set(first, seconds.set(second, made));
    return made;
  }

  /** Forgets the series of this first label. */
  drop(first: string): void {
    this.#known.delete(first);
  }
}

/**
 * The metrics of the delivery worker; docs/metrics.md lists them in words. Counters exist at 0 with all their known
 * labels, since `increase()` does not see a series that is born with 1: those without a customer from the start of the
 * process, a customer's from {@link DeliveryMetrics.begin} to {@link DeliveryMetrics.drop}.
 */
export function deliveryMetrics(registry: Registry, levels: Levels) {
  const registers = [registry];
  const attempts = new Counter({
    name: 'databridge_delivery_attempts_total',
    help: 'Attempts by customer and outcome',
    labelNames: ['customer', 'outcome'],
    registers,
  });
  const attemptSeconds = new Histogram({
    name: 'databridge_delivery_attempt_duration_seconds',
    help: 'From the start of an attempt to its outcome',
    labelNames: ['outcome'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
    registers,
  });
  const deadLetters = new Counter({
    name: 'databridge_delivery_dead_letters_total',
    help: 'Events given up, by customer and reason',
    labelNames: ['customer', 'reason'],
    registers,
  });
  const disabled = new Counter({
    name: 'databridge_delivery_disabled_total',
    help: 'Customers disabled, by reason',
    labelNames: ['customer', 'reason'],
    registers,
  });
  const breaker = new Gauge({
    name: 'databridge_delivery_breaker_state',
    help: '0 closed, 1 half-open, 2 open',
    labelNames: ['customer'],
    registers,
  });
  const holds = new Gauge({
    name: 'databridge_delivery_held',
    help: '1 while only probes are sent to the customer, because of its credentials, refusals or a blocked address',
    labelNames: ['customer', 'because'],
    registers,
  });
  const offsetsLost = new Counter({
    name: 'databridge_delivery_offsets_lost_total',
    help: 'Partitions whose group had lost its offset though there was history; restored from the status record',
    labelNames: ['customer'],
    registers,
  });
  const ownFaults = new Counter({
    name: 'databridge_delivery_own_faults_total',
    help: 'Failed writes and commits to Kafka; the work waits and is tried again',
    labelNames: ['doing'],
    registers,
  });
  for (const outcome of ATTEMPT_OUTCOMES) attemptSeconds.zero({ outcome });
  for (const doing of OWN_FAULTS) ownFaults.inc({ doing }, 0);
  const attemptCounters = new Series((customer, outcome) => attempts.labels(customer, outcome));
  const customerCounters: readonly (readonly [Counter<string>, Readonly<Record<string, string>>])[] = [
    ...ATTEMPT_OUTCOMES.map((outcome) => [attempts, { outcome }] as const),
    ...DEAD_LETTER_REASONS.map((reason) => [deadLetters, { reason }] as const),
    ...[...DISABLE_REASONS, ...HOLD_REASONS].map((reason) => [disabled, { reason }] as const),
    [offsetsLost, {}],
  ];
  const customerGauges: readonly (readonly [Gauge<string>, Readonly<Record<string, string>>])[] = [
    [breaker, {}],
    ...HOLD_REASONS.map((because) => [holds, { because }] as const),
  ];

  return {
    attemptCounters,
    attemptTimes: new Series((outcome) => attemptSeconds.labels(outcome)),
    deadLetters,
    disabled,
    offsetsLost,
    ownFaults,
    breaker,
    /** @param because undefined: the customer is not held */
    setHeld(customer: string, because: string | undefined): void {
      for (const reason of HOLD_REASONS) holds.set({ customer, because: reason }, reason === because ? 1 : 0);
    },
    /** The worker begins to run the customer: its counters exist at 0, those that exist already stay. */
    begin(customer: string): void {
      for (const [counter, labels] of customerCounters) counter.inc({ customer, ...labels }, 0);
      for (const [gauge, labels] of customerGauges) gauge.set({ customer, ...labels }, 0);
    },
    /** The customer does not run now: nothing is known of its destination. Its counters stay. */
    end(customer: string): void {
      for (const [gauge, labels] of customerGauges) gauge.remove({ customer, ...labels });
    },
    /** The customer belongs to this worker no longer: all its series end. */
    drop(customer: string): void {
      this.end(customer);
      attemptCounters.drop(customer);
      for (const [counter, labels] of customerCounters) counter.remove({ customer, ...labels });
    },
    forks: new Counter({
      name: 'databridge_delivery_forks_total',
      help: 'Records dropped because the same event and attempt was already held: what a crash writes twice',
      registers,
    }),
    inFlight: new Gauge({
      name: 'databridge_delivery_in_flight',
      help: 'Requests under way',
      labelNames: ['customer'],
      registers,
      collect() {
        this.reset();
        for (const [customer, count] of levels.inFlight()) this.set({ customer }, count);
      },
    }),
    heldBytes: new Gauge({
      name: 'databridge_delivery_held_bytes',
      help: 'Bytes of the records in memory, all customers together',
      registers,
      collect() {
        this.set(levels.heldBytes());
      },
    }),
    customers: new Gauge({
      name: 'databridge_delivery_customers',
      help: 'Customers that this worker runs',
      registers,
      collect() {
        this.set(levels.customers());
      },
    }),
    commitSeconds: new Histogram({
      name: 'databridge_delivery_commit_duration_seconds',
      help: 'From the first attempt that waits for the log to the commit of its offset',
      // A broker restart takes tens of seconds: in a last bucket of 5 s, it would look like 5 s.
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
      registers,
    }),
  };
}
