import { messageOf } from '@databridge/kernel/errors';
import type { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import type { Logger } from '@databridge/kernel/log';
import type { Clock } from '@databridge/kernel/time/clock';

export interface NamesakeWatchOptions {
  /** The value of WORKER_NAME. */
  readonly worker: string;
  /** The client id by which Kafka knows this worker: it depends on its name alone. */
  readonly clientId: string;
  /** The group of all workers. */
  readonly groupId: string;
  readonly admin: Pick<KafkaAdmin, 'groupState'>;
  /**
   * The broker removes a worker that was killed only after this time: the member may be this worker before a restart.
   */
  readonly sessionTimeoutMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

const LINE_EVERY_MS = 60_000;

/**
 * Detects another worker of the same name. Both deliver, each its own customers, but their reports overwrite each
 * other, and attempts and status records do not tell them apart.
 */
export class NamesakeWatch {
  readonly #with: NamesakeWatchOptions;
  #sinceMs: number | undefined;
  #loggedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: NamesakeWatchOptions) {
    this.#with = options;
  }

  async check(): Promise<void> {
    const { admin, clientId, clock, groupId, log, sessionTimeoutMs, worker } = this.#with;
    try {
      const { members } = await admin.groupState(groupId);
      const alike = members.filter((one) => one.clientId === clientId).map(({ clientHost }) => clientHost);
      const nowMs = clock.monotonicMs();
      if (alike.length < 2) {
        this.#sinceMs = undefined;
        return;
      }
      this.#sinceMs ??= nowMs;
      if (nowMs - this.#sinceMs < sessionTimeoutMs || nowMs - this.#loggedAtMs < LINE_EVERY_MS) return;
      this.#loggedAtMs = nowMs;
      log.error(
        { event: 'worker_name_taken', worker, hosts: alike },
        'another worker has the same WORKER_NAME; give each a name of its own',
      );
    } catch (error) {
      log.warn(
        { event: 'worker_names_unknown', worker, reason: messageOf(error) },
        'check for another worker of this name failed',
      );
    }
  }
}
