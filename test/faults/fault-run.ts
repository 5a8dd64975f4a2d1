import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gatherEvidence } from '@databridge/control-plane/views/gather-evidence';
import { reconcile } from '@databridge/control-plane/views/reconcile';
import { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { createLogger } from '@databridge/kernel/log';
import { type JvmPlatform, startJvmPlatform } from '@databridge/local-platform/jvm/platform-jvm';
import { readMachineConfig } from '@databridge/local-platform/platform-config';
import { ErasedEvents } from '@databridge/schemas/privacy/erasures';
import { decodeAttempts } from '@databridge/schemas/records/attempts';
import { HEADER, headerText } from '@databridge/schemas/records/headers';
import { ATTEMPTS_TOPIC, deadTopic, deliveryTopic } from '@databridge/schemas/records/topics';
import { rootCauseEvent } from '../harness/events.ts';
import { ADDRESSES_VARIABLE } from '../harness/kafka/running-platform.ts';
import { Stage } from '../harness/stage.ts';
import { freshName } from '../harness/topics.ts';
import type { Scenario } from './expected-alerts.ts';
import type { KeptService } from './kept-service.ts';
import { type FaultWindow, Ledger, type Tally } from './ledger.ts';
import { Load } from './load.ts';
import { ReceiverProcess } from './receiver-process.ts';
import { RunServices } from './run-services.ts';
import { Watch } from './watch.ts';

/** What one run tells: a row of the table in docs/guarantees.md. */
export interface FaultReport extends Tally {
  readonly scenario: string;
  readonly faults: readonly string[];
  readonly seconds: number;
}

export interface SkippedReport {
  readonly scenario: string;
  readonly skipped: string;
}

export interface FaultRunOptions {
  readonly scenario: Scenario;
  readonly workers?: number;
  readonly fanOuts?: number;
  readonly customers?: number;
  readonly eventsPerSecond?: number;
  /** The destination's. Default 10 s. */
  readonly timeoutMs?: number;
  /** Added to the workers' environment. */
  readonly delivery?: Record<string, string>;
  readonly platform?: { brokerCount?: number; relayAtPort?: number; dataDir?: string };
  /** Where subscriptions send to, when not straight to the receiver. */
  readonly destinationPort?: (receiver: ReceiverProcess) => number;
}

const SAMPLE_EVERY_MS = 200;
const REWIND_WITHIN_MS = 300_000;
const SETTLE_WITHIN_MS = 300_000;
const FLOWS_WITHIN_MS = 300_000;

const CLOSE_WITHIN_MS = 60_000;

/**
 * Real services under load on a platform of their own, with a destination that counts. Faults are done to them by
 * `fault`; `finish` waits until every event has arrived and says what it cost.
 */
export class FaultRun {
  readonly platform: JvmPlatform;
  readonly receiver: ReceiverProcess;
  readonly stage: Stage;
  readonly customers: readonly string[];
  readonly #services: RunServices;
  readonly #options: FaultRunOptions;
  readonly #admin: KafkaAdmin;
  readonly #ledger: Ledger;
  readonly #windows: FaultWindow[] = [];
  readonly #startedAtMs = performance.now();
  #load: Load | undefined;
  #watch: Watch | undefined;
  #struckAtMs: number | undefined;
  #isSampling = true;
  #sampling: Promise<void> = Promise.resolve();

  private constructor(
    options: FaultRunOptions,
    parts: { platform: JvmPlatform; receiver: ReceiverProcess; stage: Stage },
  ) {
    this.#options = options;
    this.platform = parts.platform;
    this.receiver = parts.receiver;
    this.stage = parts.stage;
    this.customers = Array.from({ length: options.customers ?? 3 }, (_, at) => freshName(`customer-${at + 1}`));
    this.#services = new RunServices(fileNameOf(options.scenario), this.stage, options.delivery ?? {}, () =>
      this.#watch?.retarget(),
    );
    const log = createLogger('faults', 'silent');
    this.#admin = new KafkaAdmin({ brokers: this.platform.brokers, clientId: 'faults', log });
    this.#ledger = new Ledger(this.#admin, this.stage, this.customers);
  }

  static async start(options: FaultRunOptions): Promise<FaultRun> {
    const [platform, receiver] = await Promise.all([
      startJvmPlatform({ ...readMachineConfig(process.env), ...options.platform }),
      ReceiverProcess.start(),
    ]);
    const { brokers, registryUrl } = platform;
    process.env[ADDRESSES_VARIABLE] = JSON.stringify([{ brokers, registryUrl }]);
    // The stage's own services make way for those that are kept running.
    const stage = await Stage.start();
    await Promise.all([stage.fanOut.stop(), stage.delivery.stop()]);
    const run = new FaultRun(options, { platform, receiver, stage });
    const port = options.destinationPort?.(receiver) ?? receiver.port;
    for (const customer of run.customers) {
      const destination = { timeoutMs: options.timeoutMs ?? 10_000 };
      await stage.subscribe(customer, `http://127.0.0.1:${port}/events`, { maxInFlight: 32, destination });
    }
    receiver.behave({ kind: 'accept', delayMs: 10 });
    await Promise.all([
      ...Array.from({ length: options.fanOuts ?? 1 }, () => run.#services.addFanOut()),
      ...Array.from({ length: options.workers ?? 2 }, () => run.addWorker()),
      run.#services.addControlPlane(),
    ]);
    run.#watch = await Watch.start(run.#services);
    run.#load = new Load(stage.upstream, run.customers, options.eventsPerSecond ?? 100);
    run.#sampling = run.#sampleAgainAndAgain();
    await run.flowing();
    return run;
  }

  get workers(): KeptService[] {
    return this.#services.workers;
  }

  get fanOuts(): KeptService[] {
    return this.#services.fanOuts;
  }

  addWorker(env: Record<string, string> = {}): Promise<KeptService> {
    return this.#services.addWorker(env);
  }

  /**
   * Executes what the scenario's runbook says, as whoever is on call does.
   * @returns what it printed, and its exit code; undefined: nobody watches
   */
  async onCall(): Promise<{ text: string; exit: number } | undefined> {
    return await this.#watch?.cure(this.#options.scenario, this.#words);
  }

  get #words(): Record<string, string> {
    return { acme: this.customers[0] ?? '' };
  }

  /**
   * Does something bad, and waits until events flow again. What may be repeated for it is what was in flight, or
   * finished and not committed, at the worst moment of that time.
   * @param hits whose repeats it can cause
   */
  async fault(what: string, hits: readonly ('fan-out' | 'delivery')[], doIt: () => Promise<void>): Promise<void> {
    await this.sample();
    const fromMs = Date.now();
    await doIt();
    const doneMs = Date.now();
    await this.flowing();
    await this.sample();
    const toMs = this.#struckAtMs ?? Date.now();
    this.#struckAtMs = undefined;
    say(`${what}: done to it for ${seconds(doneMs - fromMs)}, events flow again ${seconds(Date.now() - doneMs)} later`);
    this.#windows.push({ what, hits, fromMs, toMs });
  }

  /** Told within a fault that took its whole toll in a moment, such as a kill: what comes after it is not its doing. */
  async struck(): Promise<void> {
    // What the victim had sent may still lie in the receiver's sockets, or in the broker's: it is part of the toll.
    await this.receiver.caughtUp();
    await this.sample();
    await this.sample();
    this.#struckAtMs = Date.now();
  }

  /**
   * A rewind of a customer, done by `doIt` in the middle of a fault: every event between the two offsets must come
   * again, and that is no duplicate.
   */
  async rewind(customer: string, doIt: () => Promise<{ from: number; to: number }>): Promise<void> {
    const startedAtMs = Date.now();
    let range = { from: 0, to: 0 };
    await this.fault('frozen, rewound, thawed', ['delivery'], async () => {
      range = await doIt();
    });
    const records = await this.stage.read(deliveryTopic(customer));
    const again = records
      .filter(({ offset }) => offset >= range.from && offset < range.to)
      .map(({ headers }) => headerText(headers, HEADER.eventId) ?? '');
    const deadlineMs = performance.now() + REWIND_WITHIN_MS;
    const missing = () => {
      const seen = new Set(this.receiver.requests.filter(({ atMs }) => atMs >= startedAtMs).map(({ id }) => id));
      return again.filter((id) => !seen.has(id));
    };
    while (missing().length > 0) {
      if (performance.now() > deadlineMs)
        throw new Error(`the rewind was undone: ${missing().length} did not come again`);
      await delay(100);
    }
    this.#ledger.expectAgain(again.length);
  }

  /** What is done and committed at this moment: straight after a kill it is exactly what counts. */
  async sample(): Promise<void> {
    await this.#ledger.sample();
  }

  /** Resolves when events that are produced from now on arrive, of every customer or of these. */
  async flowing(withinMs = FLOWS_WITHIN_MS, customers = this.customers): Promise<void> {
    const fresh = customers.map((company) => ({ company, id: freshName('probe') }));
    const deadlineMs = performance.now() + withinMs;
    for (const { company, id } of fresh) {
      const event = rootCauseEvent({ company, requestId: id });
      const value = await this.stage.upstream.encode(event);
      await untilDone(
        () => this.stage.upstream.produceRaw([{ key: id, value, headers: { 'event-id': id } }]),
        deadlineMs,
      );
      this.#load?.acknowledged.add(id);
    }
    const missing = () => fresh.map(({ id }) => id).filter((id) => !this.receiver.acceptedIds.has(id));
    while (missing().length > 0) {
      if (performance.now() > deadlineMs) {
        throw new Error(`no event came through in time: ${await this.#whereTheyAre(missing())}`);
      }
      await delay(50);
    }
  }

  /** @throws Error if it does not become true in time */
  async until(isMet: () => boolean, withinMs: number): Promise<void> {
    const deadlineMs = performance.now() + withinMs;
    while (!isMet()) {
      if (performance.now() > deadlineMs) throw new Error(`${this.#options.scenario}: not within ${withinMs} ms`);
      await delay(50);
    }
  }

  /** Ends the load, waits for the last event, compares all books. @throws Error when anything is missing */
  async finish(): Promise<FaultReport> {
    const load = this.#load as Load;
    await load.stop();
    const stoppedAtMs = performance.now();
    const deadlineMs = performance.now() + SETTLE_WITHIN_MS;
    const missing = () => [...load.acknowledged].filter((id) => !this.receiver.acceptedIds.has(id));
    while (missing().length > 0) {
      if (performance.now() > deadlineMs) throw new Error(await this.#whereTheyAre(missing()));
      await delay(100);
    }
    await this.#untilCommitted(performance.now() + SETTLE_WITHIN_MS);
    this.#isSampling = false;
    await this.#sampling;
    const lost = missing();
    // Before the books: comparing them keeps this process busy for a minute, and it is what alerts are sent to.
    await this.#watch?.settled(this.#options.scenario);
    await this.#watch?.cured(this.#options.scenario, this.#words);
    say(`all settled ${seconds(performance.now() - stoppedAtMs)} after the last event`);
    const tally = await this.#ledger.tally(this.receiver, load.acknowledged, lost, this.#windows);
    const report: FaultReport = {
      scenario: this.#options.scenario,
      faults: this.#windows.map(({ what }) => what),
      seconds: (performance.now() - this.#startedAtMs) / 1_000,
      ...tally,
    };
    await write(report);
    const erasures = { events: new ErasedEvents(), refreshed: async () => undefined };
    const context = { admin: this.#admin, kafka: this.#ledger.kafka, erasures };
    for (const customer of this.customers) {
      const evidence = await gatherEvidence(context, customer, {});
      const { unaccounted } = reconcile(evidence, {});
      if (unaccounted.length > 0) throw new Error(`${customer}: reconcile does not account for ${unaccounted.length}`);
    }
    return report;
  }

  /** After a scenario that failed there may be no broker: what waits for one is not waited for. */
  async close(): Promise<void> {
    this.#isSampling = false;
    await this.#watch?.stop();
    const orderly = Promise.all([this.#load?.stop(), this.#services.end(), this.#sampling]).then(() =>
      this.stage.close(),
    );
    await Promise.race([orderly, delay(CLOSE_WITHIN_MS, undefined, { ref: false })]);
    await this.receiver.stop();
    await this.platform.stop();
    this.#admin.disconnect().catch(() => undefined);
  }

  /** For whoever looks for the cause: what is uncommitted in which topic, which contain the missing ones, and what was attempted. */
  async #whereTheyAre(missing: readonly string[]): Promise<string> {
    const lags = await Promise.all(this.customers.map((customer) => this.#ledger.lags(customer)));
    const held = await Promise.all(
      [this.stage.upstream.topic, ...this.customers.map(deliveryTopic)].map(async (topic) => {
        const ids = (await this.stage.read(topic)).map(({ headers }) => headerText(headers, HEADER.eventId) ?? '');
        return [topic, missing.filter((id) => ids.includes(id)).length] as const;
      }),
    );
    const dead = (await Promise.all(this.customers.map((one) => this.stage.read(deadTopic(one))))).flat();
    const letters = dead
      .filter(({ headers }) => missing.includes(headerText(headers, HEADER.eventId) ?? ''))
      .map(
        ({ headers }) =>
          `${headerText(headers, HEADER.deadLetterReason)}: ${headerText(headers, HEADER.deadLetterDetail)}`,
      );
    const attempts = (await this.stage.read(ATTEMPTS_TOPIC))
      .flatMap(({ value }) => (value === null ? [] : (decodeAttempts(value)?.attempts ?? [])))
      .filter(({ eventId }) => eventId === missing[0]);
    const facts = { lags, missingIn: Object.fromEntries(held), some: missing.slice(0, 3), letters, attempts };
    return `${this.#options.scenario}: ${missing.length} did not arrive: ${JSON.stringify(facts)}`;
  }

  /** The last commit may be an interval, or a rejoin, away. */
  async #untilCommitted(deadlineMs: number): Promise<void> {
    let lags: Record<string, number>[] = [];
    while (performance.now() < deadlineMs) {
      lags = await Promise.all(this.customers.map((customer) => this.#ledger.lags(customer)));
      if (lags.every((byTopic) => Object.keys(byTopic).length === 0)) return;
      await delay(200);
    }
    throw new Error(`${this.#options.scenario}: all arrived, but not all is committed: ${JSON.stringify(lags)}`);
  }

  async #sampleAgainAndAgain(): Promise<void> {
    while (this.#isSampling) {
      await this.sample();
      await delay(SAMPLE_EVERY_MS);
    }
  }
}

/** Past jest, which would put a stack under it: the progress of a run that takes a minute. */
function say(line: string): void {
  process.stderr.write(`  ${line}\n`);
}

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

async function untilDone(work: () => Promise<void>, deadlineMs: number): Promise<void> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
      await delay(100);
    }
  }
}

function fileNameOf(scenario: string): string {
  return scenario.replaceAll(/\W+/g, '-');
}

/** For the table, which `run.ts` makes of all of them. */
async function write(report: FaultReport | SkippedReport): Promise<void> {
  const dir = process.env['FAULT_REPORTS'];
  if (dir === undefined) return;
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, `${fileNameOf(report.scenario)}.json`), JSON.stringify(report));
}

/** Says plainly in the table what could not be run, and why. */
export async function skipped(scenario: string, why: string): Promise<void> {
  say(`skipped: ${scenario}: ${why}`);
  await write({ scenario, skipped: why });
}

/** A worker gives up after 30 s what does not end; the rest is for a machine that is busy. */
export const ENDS_WITHIN_MS = 120_000;
/**
 * The longest that a fault of these takes on an idle machine is 47 s, most of them in starting a JVM, which is as slow as
 * the machine; nothing of ours may wait for minutes.
 */
const LONGEST_STALL_MS = 240_000;

/** What must hold whatever was done. */
export function expectKept(report: FaultReport): void {
  expect(report.lost).toBe(0);
  expect(report.delivered).toBe(report.events);
  expect(report.duplicates).toBeLessThanOrEqual(report.bound);
  expect(report.longestStallMs).toBeLessThan(LONGEST_STALL_MS);
}
