import { EventEmitter } from 'node:events';
import type { Outcome } from '@databridge/delivery/attempt/outcome';
import { CommitPace } from '@databridge/delivery/customer/commit-pace';
import { Customer } from '@databridge/delivery/customer/customer';
import type { CustomerDependencies } from '@databridge/delivery/customer/dependencies';
import type { Destination, Message, Sent } from '@databridge/delivery/destination/destination';
import type { BufferedRecord } from '@databridge/delivery/lanes/buffered-records';
import { ByteBudget } from '@databridge/delivery/lanes/byte-budget';
import type { FreshFirstLimits } from '@databridge/delivery/lanes/fresh-first';
import { InFlight as InFlightLimit } from '@databridge/delivery/shares/in-flight';
import { Turns } from '@databridge/delivery/shares/turns';
import type { ProducedRecord } from '@databridge/kernel/kafka/records';
import type { Secret } from '@databridge/kernel/secrets/secret';
import { ManualClock } from '@databridge/kernel/time/manual-clock';
import { effectiveState, type WorkerStatus } from '@databridge/schemas/records/status';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import { Random } from './random.ts';
import { SimulatedGroup, SimulatedKafka } from './simulated-kafka.ts';
import {
  CONNECTION,
  DEAD,
  DELAYS_MS,
  EPOCH_MS,
  HOUR_MS,
  LANES,
  limitsBy,
  log,
  MAIN,
  messageOf,
  metrics,
  PLAN,
  subscribed,
  turn,
} from './surroundings.ts';

interface InFlight {
  readonly record: BufferedRecord;
  readonly of: SimulatedGroup;
  readonly answer: (sent: Sent) => void;
}

interface Worker {
  readonly customer: Customer;
  readonly group: SimulatedGroup;
}

type Mood = 'up' | 'down' | 'picky' | 'locked';

const SUBSCRIPTION = subscribed({});

/**
 * One random run of the real `Customer` (lanes, gate, retry plan, verdicts, commits) against a simulated broker and
 * destination: failures, crashes, rebalances, frozen workers, pauses, disabling, lost and late answers of the broker, clocks
 * that jump by an hour. Every step is checked against what must hold. All randomness comes from the seed.
 */
export class Schedule {
  readonly #random: Random;
  readonly #clock = new ManualClock(EPOCH_MS);
  readonly #kafka = new SimulatedKafka(() => this.#clock.monotonicMs());
  readonly #events: string[] = [];
  readonly #accepted = new Map<string, number>();
  /** Retry and dead-letter topics that there are: they are made when they are first written to. */
  readonly #topics = new Set<string>();
  readonly #trace: string[] = [];
  #inFlight: InFlight[] = [];
  readonly #acknowledgements: (() => void)[] = [];
  #worker: Worker | undefined;
  #subscription: Subscription<Secret>;
  #status: WorkerStatus | undefined;
  /** So small that a short log has a backlog. */
  readonly #limits: FreshFirstLimits;
  #mood: Mood = 'up';
  #hasClockJumped = false;
  #isBrokerFlaky = true;
  /** How often, at most, faults may have made the destination accept an event again. */
  #repeatBound = 0;
  /** Found while a request was made: thrown there, the code under test would take it for a failed request. */
  #violation: string | undefined;
  /** The commits after which it was checked that nothing is lost. */
  #checkedCommits = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#subscription = {
      ...SUBSCRIPTION,
      maxInFlight: 1 + this.#random.below(5),
      ...(this.#random.chance(0.5) && { freshFirst: { backlogShare: this.#random.pick([0.05, 0.2, 0.5]) } }),
    };
    this.#limits = limitsBy(this.#random);
  }

  /** @throws Error with the broken guarantee and the steps that led there */
  async run(steps: number): Promise<void> {
    try {
      await this.#startWorker();
      for (let step = 0; step < steps; step++) {
        await this.#step();
        this.#checkNothingLost();
      }
      await this.#heal();
      this.#checkEnd();
    } catch (error) {
      throw new Error(`${(error as Error).message}\nsteps: ${this.#trace.join(' ')}`, { cause: error });
    }
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const roll = random.below(100);
    if (roll < 18) this.#produce(1 + random.below(4));
    else if (roll < 45) await this.#fetch();
    else if (roll < 72) await this.#answer();
    else if (roll < 86) this.#pass(random.pick([50, 250, 1_000, 11_000, 61_000]));
    else if (roll < 89) this.#mood = this.#note(random.pick<Mood>(['up', 'down', 'picky', 'locked']));
    else if (roll < 91) this.#crash();
    else if (roll < 94) this.#rejoin(random.chance(0.7));
    else if (roll < 96) await this.#pause();
    else if (roll < 98) this.#jumpClock(random.pick([-HOUR_MS, HOUR_MS]));
    else this.#isBrokerFlaky = !this.#isBrokerFlaky;
    if (this.#random.chance(0.5)) this.#acknowledge();
    await turn();
    if (!this.#worker && random.chance(0.5)) await this.#startWorker();
  }

  #produce(count: number): void {
    this.#note(`produce${count}`);
    for (let i = 0; i < count; i++) {
      const eventId = `e${this.#events.length}`;
      this.#events.push(eventId);
      const headers = { 'event-id': eventId, 'event-type': 'any', source: `intake/0/${this.#events.length}` };
      this.#kafka.append({ topic: MAIN, key: eventId, value: 'x', headers }, EPOCH_MS);
    }
  }

  /** What the broker has stored and not yet said so. */
  #acknowledge(): void {
    for (const acknowledge of this.#acknowledgements.splice(0)) acknowledge();
  }

  async #fetch(): Promise<void> {
    const topic = this.#random.pick(LANES);
    if (await this.#worker?.group.fetch(topic, 1 + this.#random.below(5))) this.#note('fetch');
  }

  async #answer(): Promise<void> {
    const at = this.#random.below(this.#inFlight.length);
    const [request] = this.#inFlight.splice(at, 1);
    if (request === undefined) return;
    const outcome = this.#outcome(request.record);
    this.#note(`${request.record.facts.eventId}:${outcome.kind}`);
    if (outcome.kind === 'delivered') {
      const { eventId } = request.record.facts;
      this.#accepted.set(eventId, (this.#accepted.get(eventId) ?? 0) + 1);
    }
    request.answer({ outcome });
    await turn();
  }

  #outcome({ facts }: BufferedRecord): Outcome {
    const mood = this.#random.chance(0.9) ? this.#mood : 'down';
    if (mood === 'locked') return { kind: 'deauthorized', reason: 'status 401', status: 401 };
    if (mood === 'picky' && Number(facts.eventId.slice(1)) % 7 === 0) {
      return { kind: 'refused', reason: 'status 422', status: 422 };
    }
    if (mood !== 'down') return { kind: 'delivered', status: 200 };
    if (this.#random.chance(0.1)) return { kind: 'retry', reason: 'status 429', status: 429, retryAfterMs: 5_000 };
    return { kind: 'retry', reason: 'status 503', status: 503 };
  }

  #pass(byMs: number): void {
    this.#note(`+${byMs}`);
    this.#clock.advance(byMs);
  }

  #jumpClock(byMs: number): void {
    this.#note(`jump${byMs}`);
    this.#hasClockJumped = true;
    this.#clock.stepWallClock(byMs);
  }

  /** SIGKILL, or frozen: what it still does reaches nobody. */
  #crash(): void {
    const worker = this.#worker;
    if (!worker) return;
    this.#note('crash');
    this.#countRepeats();
    worker.group.cutOff();
    worker.group.isDead = this.#random.chance(0.5);
    // A frozen one's requests may yet be answered; a dead one's destination got them all the same.
    if (worker.group.isDead) this.#dropInFlight(worker.group);
    this.#worker = undefined;
  }

  #rejoin(continues: boolean): void {
    if (!this.#worker) return;
    this.#note(continues ? 'rejoin' : 'replaced');
    if (!continues) this.#countRepeats();
    this.#worker.group.rejoin(continues);
  }

  /** The operator pauses and resumes, which gives every event a new budget. */
  async #pause(): Promise<void> {
    const worker = this.#worker;
    if (!worker) return;
    this.#note('pause');
    this.#worker = undefined;
    await this.#stop(worker);
    // A graceful stop commits what is done, if the broker lets it.
    if (this.#isBrokerFlaky) this.#countRepeats();
    this.#subscription = { ...this.#subscription, enableEpoch: this.#subscription.enableEpoch + 1 };
  }

  async #stop({ customer, group }: Worker): Promise<void> {
    let isStopped = false;
    const stopped = customer.stop().then(() => {
      isStopped = true;
    });
    for (let i = 0; !isStopped; i++) {
      if (i > 500) throw new Error('a stop did not end');
      this.#acknowledge();
      for (const request of [...this.#inFlight]) if (request.of === group) await this.#answer();
      this.#clock.advance(250);
      await turn();
    }
    await stopped;
  }

  #dropInFlight(of: SimulatedGroup): void {
    for (const request of this.#inFlight.filter((one) => one.of === of)) {
      if (!this.#random.chance(0.5)) continue;
      const { eventId } = request.record.facts;
      this.#accepted.set(eventId, (this.#accepted.get(eventId) ?? 0) + 1);
    }
    this.#inFlight = this.#inFlight.filter((one) => one.of !== of);
  }

  async #startWorker(): Promise<void> {
    if (effectiveState(this.#subscription, this.#status) === 'disabled') {
      this.#subscription = { ...this.#subscription, enableEpoch: this.#subscription.enableEpoch + 1 };
    }
    this.#note('start');
    let opened: SimulatedGroup | undefined;
    const self: { group?: SimulatedGroup } = {};
    const dependencies: CustomerDependencies = {
      worker: 'w',
      openGroup: (options) => {
        opened = new SimulatedGroup(this.#kafka, options, this.#random);
        self.group = opened;
        return opened;
      },
      ensureTopic: async (_customer, topic) => {
        if (this.#isBrokerFlaky && this.#random.chance(0.2)) throw new Error('the broker is away');
        this.#topics.add(topic);
      },
      producer: { send: (records) => this.#send(records, self.group), ...CONNECTION },
      messages: { render: (record, attempt) => messageOf(record, attempt) },
      budget: new ByteBudget(this.#random.pick([1, 4_000, 1_000_000])),
      inFlight: new InFlightLimit({ requests: 1_000, bytes: 1e9 }),
      // The processor's time does not pass here: every slice is long enough.
      turns: new Turns(() => 0),
      clock: this.#clock,
      random: () => this.#random.below(1_000) / 1_000,
      log,
      metrics,
      plan: PLAN,
      // opossum keeps real time, which does not pass here: it stays closed.
      breaker: { resetAfterMs: 1, minAttempts: 1e9, failurePercentage: 50, windowMs: 10_000 },
      breakerRotation: new EventEmitter(),
      commitPace: new CommitPace(200, 200),
      freshFirstLimits: this.#limits,
      statusIntervalMs: 15_000,
      maxRetryAfterMs: HOUR_MS,
      abortAfterMs: 1e9,
      openDestination: () => this.#destination(self),
      onDisabled: (status) => this.#disabled(status, self.group),
    };
    const customer = new Customer(this.#subscription, 'same', this.#status, [...this.#topics], dependencies);
    await customer.start(new AbortController().signal);
    if (opened) this.#worker = { customer, group: opened };
  }

  #disabled(status: WorkerStatus, of: SimulatedGroup | undefined): void {
    this.#note('disabled');
    this.#status = status;
    const worker = this.#worker;
    if (!worker || worker.group !== of) return;
    this.#worker = undefined;
    // The slot stops it in its own time; here it counts as cut off, and what it has in flight as unknown.
    this.#countRepeats();
    worker.group.cutOff();
  }

  #destination(self: { group?: SimulatedGroup }): Destination {
    return {
      send: (message) => {
        const { record } = message as Message & { record: BufferedRecord };
        const group = self.group as SimulatedGroup;
        this.#checkSend(record, message.attempt, group);
        return new Promise((resolve) => this.#inFlight.push({ record, of: group, answer: resolve }));
      },
      close: async () => undefined,
      abort: async () => undefined,
    };
  }

  async #send(records: readonly ProducedRecord[], of: SimulatedGroup | undefined): Promise<void> {
    if (of?.isDead) return await new Promise(() => undefined);
    const fate = this.#isBrokerFlaky ? this.#random.below(12) : 11;
    if (fate === 0) throw new Error('the broker is away');
    for (const record of records) if (record.topic.startsWith('delivery.')) this.#kafka.append(record, EPOCH_MS);
    if (fate > 1) {
      // A retry may be read back before the worker that wrote it knows that it is stored.
      if (this.#random.chance(0.25)) await new Promise<void>((resolve) => this.#acknowledgements.push(resolve));
      return;
    }
    // Stored, and the answer lost: it will be written again.
    this.#repeatBound += records.length;
    throw new Error('the answer was lost');
  }

  #checkSend(record: BufferedRecord, attempt: number, group: SimulatedGroup): void {
    const { eventId } = record.facts;
    if (!group.isMember) this.#violation ??= `a worker that had been replaced sent ${eventId}`;
    if (attempt > PLAN.maxAttempts) this.#violation ??= `attempt ${attempt} of ${eventId}`;
    const stored = this.#kafka.log(record.lane.topic)[record.offset];
    const waitedMs = this.#clock.monotonicMs() - (stored?.appendedAtMs ?? 0);
    const delayMs = DELAYS_MS.get(record.lane.topic) ?? 0;
    // With a clock that was set, "due" is what that clock says: it may be early or late, but nothing waits for ever.
    if (!this.#hasClockJumped && waitedMs < delayMs) {
      this.#violation ??= `${eventId} was sent after ${waitedMs} ms in a lane of ${delayMs} ms`;
    }
  }

  /** What is in flight, and what is finished but not committed, may come again after the fault that follows. */
  #countRepeats(): void {
    this.#repeatBound += this.#inFlight.length;
    const seen = new Set(this.#accepted.keys());
    // The latest copy of an event is the one that counts: the others are finished.
    for (const topic of [DEAD, ...LANES.toReversed()]) {
      for (const { offset, eventId } of this.#kafka.log(topic).toReversed()) {
        if (topic !== DEAD && this.#kafka.isCommitted(topic, offset)) continue;
        if (seen.has(eventId)) this.#repeatBound++;
        seen.add(eventId);
      }
    }
  }

  /** Every event is accepted, or a dead letter, or stands in a lane where a restart would find it. */
  #checkNothingLost(): void {
    if (this.#violation !== undefined) throw new Error(this.#violation);
    if (this.#kafka.commitCount === this.#checkedCommits) return;
    this.#checkedCommits = this.#kafka.commitCount;
    const safe = new Set(this.#accepted.keys());
    for (const { eventId } of this.#kafka.log(DEAD)) safe.add(eventId);
    for (const topic of LANES) {
      for (const { offset, eventId } of this.#kafka.log(topic)) {
        if (!this.#kafka.isCommitted(topic, offset)) safe.add(eventId);
      }
    }
    const lost = this.#events.filter((eventId) => !safe.has(eventId));
    if (lost.length > 0) throw new Error(`lost: ${lost.join()}`);
  }

  /** All troubles end: everything that waits must come to its end. */
  async #heal(): Promise<void> {
    this.#note('heal');
    this.#mood = 'up';
    this.#isBrokerFlaky = false;
    for (let round = 0; round < 600; round++) {
      if (!this.#worker) await this.#startWorker();
      for (const topic of LANES) await this.#worker?.group.fetch(topic, 50);
      await turn();
      while (this.#inFlight.length > 0) await this.#answer();
      this.#acknowledge();
      this.#clock.advance(5_000);
      await turn();
      if (this.#isAllDone()) return;
    }
    throw new Error('something never came to its end');
  }

  #isAllDone(): boolean {
    return LANES.every((topic) => this.#kafka.isAllCommitted(topic));
  }

  #checkEnd(): void {
    this.#checkNothingLost();
    const dead = new Set(this.#kafka.log(DEAD).map(({ eventId }) => eventId));
    const neither = this.#events.filter((eventId) => !this.#accepted.has(eventId) && !dead.has(eventId));
    if (neither.length > 0) throw new Error(`neither delivered nor dead: ${neither.join()}`);
    const repeats = [...this.#accepted.values()].reduce((sum, times) => sum + times - 1, 0);
    if (repeats > this.#repeatBound) throw new Error(`${repeats} repeats, at most ${this.#repeatBound} explained`);
  }

  #note<T>(step: T): T {
    this.#trace.push(String(step));
    return step;
  }
}
