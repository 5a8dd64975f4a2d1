/** How much each row does. The full run is what docs/performance.md shows; the quick one is for continuous integration. */
export interface Scale {
  /** Of the rows that race against a peer or a limit. */
  readonly rounds: number;
  readonly deliverEvents: number;
  /** Of them, the first: code is compiled meanwhile, on every side, so they are not raced. */
  readonly deliverWarmUp: number;
  readonly slowEvents: number;
  readonly fanOutEvents: number;
  readonly fanOutCustomers: number;
  readonly fanOutManyCustomers: number;
  /** The same load is delivered for every number of customers. */
  readonly customersEvents: number;
  readonly customersCounts: readonly number[];
  readonly latencyCustomers: number;
  readonly latencyEventsPerSecond: number;
  /** Of each phase; what comes in its first two seconds warms up and does not count. */
  readonly latencySeconds: number;
  /** What waits for one of the customers while the others are timed. */
  readonly isolationBacklog: number;
  /** What waits for the customer whose endpoint hangs: more than go out in all rounds. */
  readonly hangingEvents: number;
  readonly manyLatencyCustomers: number;
  readonly idleCustomers: number;
  /** Of a worker that is only started. */
  readonly startCustomers: number;
  readonly idleSeconds: number;
  readonly backlogEvents: number;
  /** The peak of memory shows within seconds; draining all of it would only take longer. */
  readonly backlogSeconds: number;
  readonly heldRetries: number;
  readonly punctualRetries: number;
  /** The same load for every number of workers and partitions. */
  readonly growthEvents: number;
  readonly growthWorkers: readonly number[];
  readonly growthPartitions: readonly number[];
}

export const FULL: Scale = {
  rounds: 3,
  deliverEvents: 200_000,
  deliverWarmUp: 60_000,
  slowEvents: 12_800,
  fanOutEvents: 200_000,
  fanOutCustomers: 100,
  fanOutManyCustomers: 10_000,
  customersEvents: 60_000,
  customersCounts: [1, 100, 1_000],
  latencyCustomers: 50,
  latencyEventsPerSecond: 500,
  latencySeconds: 20,
  isolationBacklog: 1_000_000,
  hangingEvents: 40_000,
  manyLatencyCustomers: 1_000,
  idleCustomers: 1_000,
  startCustomers: 10_000,
  idleSeconds: 20,
  backlogEvents: 1_000_000,
  backlogSeconds: 30,
  heldRetries: 100_000,
  punctualRetries: 10_000,
  growthEvents: 40_000,
  growthWorkers: [1, 2, 3],
  growthPartitions: [1, 4, 16],
};

export const QUICK: Scale = {
  ...FULL,
  rounds: 2,
  deliverEvents: 30_000,
  deliverWarmUp: 10_000,
  slowEvents: 3_200,
  fanOutEvents: 60_000,
  customersEvents: 15_000,
  customersCounts: [1, 100],
  latencySeconds: 8,
  isolationBacklog: 100_000,
  hangingEvents: 15_000,
  manyLatencyCustomers: 200,
  idleCustomers: 100,
  idleSeconds: 8,
  backlogEvents: 100_000,
  backlogSeconds: 8,
};

/** As little as shows that everything works: for trying out a change of the bench itself. */
export const TINY: Scale = {
  ...QUICK,
  rounds: 1,
  deliverEvents: 3_000,
  deliverWarmUp: 1_000,
  slowEvents: 640,
  fanOutEvents: 5_000,
  fanOutCustomers: 10,
  fanOutManyCustomers: 20,
  customersEvents: 2_000,
  customersCounts: [1, 4],
  latencyEventsPerSecond: 100,
  latencySeconds: 4,
  isolationBacklog: 5_000,
  hangingEvents: 2_000,
  manyLatencyCustomers: 60,
  idleCustomers: 10,
  startCustomers: 20,
  idleSeconds: 2,
  backlogEvents: 5_000,
  backlogSeconds: 2,
  heldRetries: 3_000,
  punctualRetries: 1_000,
  growthEvents: 2_000,
  growthWorkers: [1, 2],
  growthPartitions: [1, 2],
};
