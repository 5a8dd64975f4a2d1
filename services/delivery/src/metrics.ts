import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export type DeliveryMetrics = ReturnType<typeof deliveryMetrics>;

/** What is looked up when Prometheus asks. */
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
}

/** What the delivery worker tells Prometheus. docs/metrics.md lists them in words. */
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
  return {
    attemptCounters: new Series((customer, outcome) => attempts.labels(customer, outcome)),
    attemptTimes: new Series((outcome) => attemptSeconds.labels(outcome)),
    deadLetters: new Counter({
      name: 'databridge_delivery_dead_letters_total',
      help: 'Events given up, by customer and reason',
      labelNames: ['customer', 'reason'],
      registers,
    }),
    disabled: new Counter({
      name: 'databridge_delivery_disabled_total',
      help: 'Customers disabled, by reason',
      labelNames: ['customer', 'reason'],
      registers,
    }),
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
    breaker: new Gauge({
      name: 'databridge_delivery_breaker_state',
      help: '0 closed, 1 half-open, 2 open',
      labelNames: ['customer'],
      registers,
    }),
    commitSeconds: new Histogram({
      name: 'databridge_delivery_commit_duration_seconds',
      help: 'From the first attempt that waits for the log to the commit of its offset',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
    offsetsLost: new Counter({
      name: 'databridge_delivery_offsets_lost_total',
      help: 'Partitions whose group had lost its offset though there was history; set back from the status record',
      labelNames: ['customer'],
      registers,
    }),
    ownFaults: new Counter({
      name: 'databridge_delivery_own_faults_total',
      help: 'Kafka could not be written to or committed to; the work waits and is tried again',
      labelNames: ['doing'],
      registers,
    }),
  };
}
