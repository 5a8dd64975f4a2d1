import { messageOf } from '@databridge/kernel/errors';
import type { MetricsRegistry } from '@databridge/kernel/metrics';
import { seriesTable } from '@databridge/kernel/series-table';
import { systemClock, type Timer } from '@databridge/kernel/time/clock';
import { every } from '@databridge/kernel/time/every';
import type { Invitation } from '@databridge/schemas/records/invitations';
import type { ControlPlaneContext } from '../context.ts';
import { type Expiring, expiringRecords, NOTHING_EXPIRES } from './expiring-records.ts';
import { gatherState } from './gather-state.ts';
import { customerStateFamilies, type SystemStateRow, systemStateFamilies } from './state-families.ts';
import { UnattendedEvents } from './unattended-events.ts';

/**
 * The records that expire within a day change slowly, and cost requests for each lane: they are gathered every 10
 * minutes if the rest is gathered every 30 s.
 */
const EXPIRING_EVERY = 20;

const LATELY_MS = 3_600_000;

/** The number of invitations that wrong codes locked in the last hour. */
export function lockedLately(invitations: Iterable<Pick<Invitation, 'state' | 'changedAtMs'>>, nowMs: number): number {
  return [...invitations].filter((one) => one.state === 'locked' && one.changedAtMs > nowMs - LATELY_MS).length;
}

export interface StateExportOptions {
  readonly context: ControlPlaneContext;
  readonly registry: MetricsRegistry;
  readonly intakeTopics: readonly string[];
  /** Only the writer exports, so the sum over all control planes is right. */
  readonly isWriter: () => boolean;
  readonly everyMs: number;
}

/**
 * Exports the state of all customers, if this is the writer; a scrape shows the state that was gathered last and does
 * not access Kafka.
 */
export class StateExport {
  readonly #with: StateExportOptions;
  #last: Omit<SystemStateRow, 'expiringQuarantined'> | undefined;
  readonly #unattendedEvents = new UnattendedEvents();
  #expiring: Expiring = NOTHING_EXPIRES;
  #expiringDueAtMs = 0;
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: StateExportOptions) {
    this.#with = options;
    options.registry.add(seriesTable(customerStateFamilies, () => this.#customerRows()));
    options.registry.add(
      seriesTable(systemStateFamilies, () =>
        this.#last === undefined
          ? []
          : ([['', { ...this.#last, expiringQuarantined: this.#expiring.quarantined }]] as const),
      ),
    );
  }

  /** The records that retention is about to delete, if this control plane is the writer. */
  get expiring(): Expiring {
    return this.#expiring;
  }

  start(): void {
    const run = () => {
      this.#running = this.#running.then(() => this.#gather());
    };
    run();
    this.#timer = every(this.#with.everyMs, run);
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#running;
  }

  *#customerRows() {
    const { waiting, deadlines, deadLetters } = this.#expiring;
    for (const [customer, state] of this.#last?.customers ?? []) {
      const row = {
        ...state,
        expiring: waiting.get(customer),
        expiringFromMs: deadlines.get(customer),
        expiringDead: deadLetters.get(customer),
        unattendedSinceMs: this.#unattendedEvents.oldestAtMs(customer),
      };
      yield [`,customer="${customer}"`, row] as const;
    }
  }

  async #gather(): Promise<void> {
    const { context, intakeTopics, isWriter, everyMs } = this.#with;
    if (!isWriter()) {
      this.#last = undefined;
      this.#expiringDueAtMs = 0;
      return;
    }
    try {
      const nowMs = systemClock.nowMs();
      if (systemClock.monotonicMs() >= this.#expiringDueAtMs) {
        this.#expiring = await expiringRecords(context, nowMs);
        this.#expiringDueAtMs = systemClock.monotonicMs() + EXPIRING_EVERY * everyMs;
      }
      const state = await gatherState(context, intakeTopics);
      const unattended = [...state.customers].filter(([, { unattended = 0 }]) => unattended > 0);
      await this.#unattendedEvents.read(
        context,
        unattended.map(([customer]) => customer),
      );
      const lockedInvitations = lockedLately((await context.invitations()).values(), nowMs);
      this.#last = { ...state, lockedInvitations, exportedAtMs: nowMs };
    } catch (error) {
      context.log.warn(
        { event: 'state_export_failed', err: error, retryInMs: everyMs },
        `state not gathered for metrics: ${messageOf(error)}`,
      );
    }
  }
}
