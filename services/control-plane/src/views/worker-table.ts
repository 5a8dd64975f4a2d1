import type { KafkaSettings } from '@databridge/kernel/kafka/kafkajs/client';
import { CompactedTable } from '@databridge/kernel/kafka/tables/compacted-table';
import { disagreements } from '@databridge/kernel/settings/shared-settings';
import { systemClock } from '@databridge/kernel/time/clock';
import { WORKERS_TOPIC } from '@databridge/schemas/records/topics';
import { decodeWorkerReport, type WorkerReport } from '@databridge/schemas/records/workers';

/** A worker's last report, and how long ago it came. */
export interface SeenWorker {
  readonly report: WorkerReport;
  readonly silentForMs: number;
  /** It reported within three of its intervals. */
  readonly isAlive: boolean;
  /** Two processes report under this name: the reports of one overwrite those of the other. */
  readonly hasNamesake: boolean;
  /** The time by which its clock is ahead of the broker's, which stamped the report; negative: behind. */
  readonly clockAheadMs: number;
  /**
   * The time by which this host's clock is ahead of the broker's, and at most a fetch less. Absent until a report comes
   * in.
   */
  readonly ownClockAheadMs?: number;
}

/** The number of reports that may be missing: one may be late, and Kafka may move a leader meanwhile. */
const MISSED_REPORTS = 3;

interface Heard {
  readonly report: WorkerReport;
  /** The arrival of the report, by our monotonic clock: no two clocks are compared. */
  readonly atMs: number;
  readonly clockAheadMs: number;
  readonly ownClockAheadMs?: number;
  /** When a process reported that had started before the one that had reported last: both live. */
  readonly namesakeAtMs?: number;
}

/** The delivery workers as they report themselves. One that was killed stays until upkeep forgets it. */
export class WorkerTable {
  readonly #table: CompactedTable<Heard>;
  readonly #log: KafkaSettings['log'];
  readonly #settings: Readonly<Record<string, string>>;
  #isCaughtUp = false;

  /** @param settings of this control plane, as workers report theirs */
  constructor(kafka: KafkaSettings, settings: Readonly<Record<string, string>>) {
    this.#settings = settings;
    this.#log = kafka.log;
    this.#table = new CompactedTable<Heard>(kafka, {
      topic: WORKERS_TOPIC,
      maxWaitMs: 200,
      decode: (worker, value, { timestampMs }) => {
        const report = decodeWorkerReport(value);
        return report && this.#heard(worker, report, timestampMs);
      },
    });
  }

  async start(): Promise<void> {
    await this.#table.start();
    await this.#table.caughtUp();
    this.#isCaughtUp = true;
  }

  async stop(): Promise<void> {
    await this.#table.stop();
  }

  /** Returns the workers, sorted by name. */
  list(nowMs: number = systemClock.monotonicMs()): SeenWorker[] {
    return [...this.#table.entries()]
      .map(([, { report, atMs, namesakeAtMs = Number.NEGATIVE_INFINITY, ...clocks }]) => {
        const silentForMs = Math.max(0, nowMs - atMs);
        const withinMs = MISSED_REPORTS * report.intervalMs;
        const hasNamesake = nowMs - namesakeAtMs <= withinMs;
        return { report, silentForMs, isAlive: silentForMs <= withinMs, hasNamesake, ...clocks };
      })
      .sort((a, b) => (a.report.worker < b.report.worker ? -1 : 1));
  }

  #heard(worker: string, report: WorkerReport, appendedAtMs: number): Heard {
    const known = this.#table.get(worker);
    // Read again after a rejoin: it is no new report.
    if (known?.report.at === report.at) return known;
    const isOfOlderProcess = known !== undefined && report.startedAtMs < known.report.startedAtMs;
    if (isOfOlderProcess && known.namesakeAtMs === undefined) {
      this.#log.warn(
        { event: 'worker_name_taken', worker },
        'two workers have the same WORKER_NAME; give each a name of its own',
      );
    }
    if (known?.report.startedAtMs !== report.startedAtMs) this.#compareSettings(report);
    const namesakeAtMs = isOfOlderProcess ? systemClock.monotonicMs() : known?.namesakeAtMs;
    const ageMs = this.#isCaughtUp ? 0 : Math.max(0, systemClock.nowMs() - report.at);
    return {
      report,
      atMs: systemClock.monotonicMs() - ageMs,
      clockAheadMs: report.at - appendedAtMs,
      ...(namesakeAtMs !== undefined && { namesakeAtMs }),
      ...(this.#isCaughtUp && { ownClockAheadMs: systemClock.nowMs() - appendedAtMs }),
    };
  }

  /** At the first report of each process: a promise of the API that a worker does not keep is found before it matters. */
  #compareSettings({ worker, settings = {} }: WorkerReport): void {
    for (const { setting, ours, theirs } of disagreements(this.#settings, settings)) {
      this.#log.error(
        { event: 'settings_disagree', worker, setting, ours, theirs },
        `${setting} is "${ours}" here and "${theirs}" in worker ${worker}; set both to the same value and restart the service that was wrong`,
      );
    }
  }
}
