import { Ending } from '@databridge/kernel/ending';
import type { ConsumedBatch } from '@databridge/kernel/kafka/records';
import type { Logger } from '@databridge/kernel/log';
import type { Secret } from '@databridge/kernel/secrets/secret';
import { instantOf } from '@databridge/kernel/time/clock';
import type { Attempt } from '@databridge/schemas/records/attempts';
import { type HoldReason, type WorkerStatus, withoutOldHolds } from '@databridge/schemas/records/status';
import { deliveryGroup, deliveryTopic, retryTopic } from '@databridge/schemas/records/topics';
import { laneDelayOf } from '@databridge/schemas/retries/retry-plan';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import { Deliveries } from '../attempt/delivery.ts';
import type { DisableReason } from '../attempt/verdict.ts';
import { Destinations } from '../destination/destinations.ts';
import { addressOf, openedWith } from '../destination/identity.ts';
import { Gate } from '../gate/gate.ts';
import type { BufferedRecord } from '../lanes/buffered-records.ts';
import type { CustomerBytes } from '../lanes/byte-budget.ts';
import { FlowControl } from '../lanes/flow-control.ts';
import { FRESH_FIRST_LIMITS } from '../lanes/fresh-first.ts';
import { LaneOwnership } from '../lanes/lane-ownership.ts';
import { levelsOf } from '../observe/customer-levels.ts';
import type { CustomerMetrics } from '../observe/customer-metrics.ts';
import { Punctuality } from '../observe/punctuality.ts';
import type { InFlightShare } from '../shares/in-flight.ts';
import { AttemptLines } from './attempt-lines.ts';
import { AttemptLog } from './attempt-log.ts';
import { Commits } from './commits.ts';
import { countAttempt } from './count-attempt.ts';
import { CustomerStatus } from './customer-status.ts';
import type { CustomerDependencies, CustomerGroup } from './dependencies.ts';
import { GateLines } from './gate-lines.ts';
import { NextTopics } from './next-topics.ts';
import { Sending } from './sending.ts';
import { Taking } from './taking.ts';
import { WakeUp } from './wake-up.ts';

const REJOIN_PATIENCE_MS = 10_000;

/**
 * One customer's deliveries: reads its lanes, sends due records as fast as gate and rate allow, commits offsets.
 *
 *     start ─▶ running ◀─update ── stop ─▶ draining: takes nothing, what is in flight ends ─▶ committed, left ─▶ stopped
 */
export class Customer {
  readonly name: string;
  readonly #with: CustomerDependencies;
  readonly #log: Logger;
  readonly #attemptLines: AttemptLines;
  readonly #gateLines: GateLines;
  readonly #group: CustomerGroup;
  readonly #flow: FlowControl;
  readonly #gate: Gate;
  readonly #status: CustomerStatus;
  readonly #nextTopics: NextTopics;
  readonly #ownership: LaneOwnership;
  readonly #attempts: AttemptLog;
  readonly #commits: Commits;
  readonly #deliveries: Deliveries;
  readonly #stopping = new Ending();
  readonly #bytes: CustomerBytes;
  readonly #inFlight: InFlightShare;
  readonly #wake: WakeUp;
  readonly #counts: CustomerMetrics;
  readonly #taking: Taking;
  readonly #sending: Sending;
  #subscription: Subscription<Secret>;
  #connection: string;
  readonly #destinations: Destinations;

  /**
   * @param connection the subscription's `connectionOf`, made of its sealed form
   * @param existing its retry and dead-letter topics, including those of lanes that the plan has dropped
   */
  constructor(
    subscription: Subscription<Secret>,
    connection: string,
    status: WorkerStatus | undefined,
    existing: readonly string[],
    dependencies: CustomerDependencies,
  ) {
    const { clock, log, producer, worker, traces, isErased } = dependencies;
    const name = subscription.customer;
    this.name = name;
    this.#with = dependencies;
    this.#log = log.child({ customer: name });
    this.#attemptLines = new AttemptLines(this.#log);
    this.#gateLines = new GateLines(this.#log);
    this.#subscription = subscription;
    this.#connection = connection;
    this.#bytes = dependencies.budget.join();
    this.#inFlight = dependencies.inFlight.join(() => this.#sending.pump());
    const turn = dependencies.turns.join(() => this.#sending.pump());
    this.#wake = new WakeUp(clock, () => this.#sending.pump());
    const destinations = {
      log: this.#log,
      open: (one: Subscription<Secret>, onRate: (perSecond: number) => void) =>
        dependencies.openDestination(one, onRate, () => this.#subscription.ratePerSecond),
      onRate: (perSecond: number) => this.#gate.rate.allow(perSecond),
    };
    this.#destinations = new Destinations(subscription, destinations, clock.nowMs());
    this.#gate = new Gate(
      {
        ratePerSecond: subscription.ratePerSecond,
        maxWaitMs: dependencies.maxRetryAfterMs,
        breaker: dependencies.breaker,
        breakerRotation: dependencies.breakerRotation,
        clock,
        onChange: () => this.#onGateChange(),
      },
      clock.monotonicMs(),
    );
    if (status) this.#gate.restore(withoutOldHolds(status, connection), instantOf(clock));
    this.#counts = dependencies.metrics.book.of(name);
    this.#counts.levels = () => this.#levels();
    const punctuality = new Punctuality(dependencies.metrics, this.#counts.stalls, clock);
    this.#attempts = new AttemptLog(producer, name, worker);
    this.#ownership = new LaneOwnership({
      budget: this.#bytes,
      clock,
      delayMsOf: laneDelayOf,
      freshFirst: {
        backlogShare: () => this.#subscription.freshFirst?.backlogShare,
        limits: dependencies.freshFirstLimits ?? FRESH_FIRST_LIMITS,
      },
      history: status?.committed ?? [],
      onHistoryUsed: (lost) => {
        this.#counts.offsetsLost += lost.length;
        this.#log.error({ event: 'offsets_lost', lost }, 'group has no offsets; continuing from the status record');
      },
    });
    this.#status = new CustomerStatus({
      customer: name,
      worker,
      clock,
      gate: this.#gate,
      producer,
      connection: () => this.#connection,
      committed: () => this.#commits.committed(),
      found: status,
    });
    this.#nextTopics = new NextTopics(
      {
        producer,
        clock,
        log: this.#log,
        ...{ metrics: dependencies.metrics, random: dependencies.random, isErased },
        isOurs: (record) => this.#ownership.isOurs(record),
        // The lane is added to the reader before the first write: a retry must not wait until its lane is found.
        ensure: async (topic) => {
          await dependencies.ensureTopic(name, topic);
          if (laneDelayOf(topic) > 0) this.#group.addTopics([topic]);
        },
        stopping: this.#stopping,
      },
      existing,
    );
    this.#taking = new Taking({
      ...{ clock, gate: this.#gate, inFlight: this.#inFlight, wake: this.#wake, stalls: this.#counts.stalls },
      lanes: () => this.#ownership.lanes,
      onOutageEnded: () => {
        this.#ownership.lanes?.noteOutageEnd();
        this.#adjustFlow();
      },
      mayTake: () => !this.#stopping.hasEnded && !this.#status.isDisabled,
      maxInFlight: () => this.#subscription.maxInFlight,
      delayedBy: () =>
        this.#deliveries.isWaitingForRegistry ? 'registry' : this.#nextTopics.isInTrouble ? 'kafka' : undefined,
    });
    this.#group = dependencies.openGroup({
      groupId: deliveryGroup(name),
      topics: [deliveryTopic(name), ...existing.filter((topic) => laneDelayOf(topic) > 0)],
      laterTopics: dependencies.plan.steps.map(({ delay }) => retryTopic(name, delay)),
      log: this.#log,
      onJoined: (membership, committed) => {
        const starts = this.#ownership.joined(membership, committed);
        this.#commits.noteJoined();
        // A timer that fired in the meantime found no record that it might send.
        this.#sending.pump();
        return starts;
      },
      onLost: () => this.#ownership.markLost(),
      onBatch: (batch) => this.#acceptBatch(batch),
      onJump: (at, to) => {
        this.#ownership.lanes?.jump(at, to);
        this.#adjustFlow();
      },
    });
    this.#flow = new FlowControl(this.#group);
    this.#deliveries = new Deliveries({
      ...{ clock, log: this.#log, plan: dependencies.plan, messages: dependencies.messages },
      ...{ destinations: this.#destinations, ownership: this.#ownership, gate: this.#gate },
      ...{ nextTopics: this.#nextTopics, punctuality, stopping: this.#stopping },
      ...(traces && { traces }),
      ...(isErased && { isErased }),
      subscription: () => this.#subscription,
      connection: () => this.#connection,
      inFlight: () => this.inFlight,
      onFailed: (failure) => dependencies.metrics.failed(failure),
      onAttempt: (attempt) => this.#report(attempt),
      onDeadLetter: (because) => this.#counts.deadLetters[because]++,
      ...{ onDone: () => this.#commits.touch(), onWaiting: () => this.#sending.pump() },
      disable: (because, detail) => this.#disable(because, detail),
    });
    this.#sending = new Sending({
      ...{ log: this.#log, inFlight: this.#inFlight, turn, punctuality },
      take: () => this.#take(),
      deliver: (record) => this.#deliveries.deliver(record),
    });
    this.#commits = new Commits({
      clock,
      log: this.#log,
      metrics: dependencies.metrics,
      pace: dependencies.commitPace,
      statusIntervalMs: dependencies.statusIntervalMs,
      attempts: this.#attempts,
      group: this.#group,
      lanes: () => this.#ownership.lanes,
      writeStatus: () => this.#writeStatus(),
      onCommitted: () => this.#sending.pump(),
    });
    // The status record of an earlier owner is brought up to date, even if nothing is delivered for hours.
    if (status?.committed !== undefined) this.#commits.writeStatusLater();
  }

  get inFlight(): number {
    return this.#inFlight.count;
  }

  /**
   * Resolves when this worker runs the customer.
   * @throws what `signal` was aborted with; the customer must then be stopped
   */
  async start(signal: AbortSignal): Promise<void> {
    await this.#group.start(signal);
  }

  /**
   * Applies a changed subscription from the next request on. Requests in flight end as they began, and only what the
   * change concerns is reset.
   * @param connection as for the constructor
   */
  update(subscription: Subscription<Secret>, connection: string): void {
    const before = this.#subscription;
    const nowMs = this.#with.clock.nowMs();
    this.#subscription = subscription;
    this.#connection = connection;
    this.#gate.rate.restate(subscription.ratePerSecond);
    this.#destinations.update(subscription, nowMs);
    if (addressOf(before) !== addressOf(subscription)) this.#gate.forgetDestination();
    else if (openedWith(before, nowMs) !== openedWith(subscription, nowMs)) this.#gate.forgetConnection();
    if (before.enableEpoch !== subscription.enableEpoch) {
      this.#gate.enable(this.#with.clock.monotonicMs());
      this.#status.enable();
    }
    // A hold that the change ended must not remain in the status record until the next delivery.
    this.#commits.writeStatusSoon();
    this.#log.info('subscription changed');
    this.#adjustFlow();
    this.#sending.pump();
  }

  /** Takes no further record, lets requests in flight end or cuts them off, commits, and leaves the group. */
  async stop(): Promise<void> {
    this.#stopping.end();
    this.#wake.cancel();
    // A delivery that ends during a rebalance waits to learn who owns its lane; without brokers it would wait forever.
    const patience = this.#with.clock.after(REJOIN_PATIENCE_MS, () => this.#ownership.giveUp());
    if (this.#inFlight.count > 0) {
      const abort = this.#with.clock.after(this.#with.abortAfterMs, () => {
        this.#log.warn({ event: 'requests_cut_off', inFlight: this.inFlight }, 'requests in flight cut off');
        this.#destinations.abort();
      });
      await this.#sending.idle();
      abort.cancel();
    }
    await this.#ownership.settled();
    patience.cancel();
    await this.#commits.finish();
    await this.#group.stop();
    this.#ownership.end();
    this.#bytes.leave();
    this.#inFlight.leave();
    this.#gate.stop();
    await this.#destinations.close();
    this.#counts.stalls.note(undefined, this.#with.clock.monotonicMs());
    this.#counts.levels = undefined;
  }

  /** Notes that the customer was paused or disabled until now. */
  noteResumed(): void {
    this.#counts.stalls.noteResumed(this.#with.clock.monotonicMs());
  }

  #adjustFlow(): void {
    for (const lane of this.#ownership.lanes?.lanes ?? []) this.#flow.adjust(lane);
  }

  #acceptBatch(batch: ConsumedBatch): void {
    const lanes = this.#ownership.lanes;
    if (lanes === undefined) return;
    lanes.accept(batch);
    const forks = lanes.takeForks();
    if (forks > 0) this.#with.metrics.forks.inc(forks);
    for (const test of lanes.takeTests()) void this.#sending.run(test, () => this.#deliveries.deliverTest(test));
    this.#commits.touch();
    this.#sending.pump();
    this.#adjustFlow();
  }

  /** The next record to send, taken from its lane; undefined when none may be sent now. */
  #take(): BufferedRecord | undefined {
    const next = this.#taking.choose();
    const lane = next && this.#ownership.lanes?.take(next);
    if (lane) this.#flow.adjust(lane);
    return next;
  }

  #levels() {
    const { clock, plan } = this.#with;
    // Records that came due since the last delivery are taken into account now.
    this.#sending.pump();
    return levelsOf(
      {
        ...{ subscription: this.#subscription, gate: this.#gate, lanes: this.#ownership.lanes, plan },
        ...{ inFlight: this.#sending.inFlight, inFlightCount: this.inFlight },
        recordMs: (timestampMs) => clock.recordMs(timestampMs),
      },
      instantOf(clock),
    );
  }

  #report(attempt: Attempt): void {
    countAttempt(this.#with.metrics, this.#counts, attempt);
    this.#attemptLines.note(attempt, this.#with.clock.monotonicMs());
    this.#attempts.append(attempt);
  }

  #disable(because: DisableReason | HoldReason, detail: string): void {
    if (this.#status.isDisabled) return;
    this.#status.disable(this.#subscription.enableEpoch, `${because}: ${detail}`);
    this.#counts.disabled[because]++;
    this.#log.error(
      { event: 'customer_disabled', because, detail },
      'customer disabled: nothing more is sent, everything stays in place',
    );
    this.#commits.writeStatusSoon();
  }

  #onGateChange(): void {
    const now = instantOf(this.#with.clock);
    this.#gateLines.note(this.#gate.status(now), now.monotonicMs);
    this.#commits.writeStatusSoon();
    this.#sending.pump();
  }

  async #writeStatus(): Promise<void> {
    const status = await this.#status.write();
    if (this.#status.isDisabled) this.#with.onDisabled(status);
  }
}
