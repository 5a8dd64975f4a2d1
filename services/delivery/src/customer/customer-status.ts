import type { CommittedOffset, RecordProducer } from '@databridge/kernel/kafka/records';
import { type Clock, instantOf } from '@databridge/kernel/time/clock';
import { encodeStatus, type WorkerStatus } from '@databridge/schemas/records/status';
import { STATUS_TOPIC } from '@databridge/schemas/records/topics';
import type { Gate } from '../gate/gate.ts';

export interface CustomerStatusOptions {
  readonly customer: string;
  readonly worker: string;
  readonly clock: Clock;
  readonly gate: Pick<Gate, 'status'>;
  readonly producer: Pick<RecordProducer, 'send'>;
  /** The fingerprint of the subscription that the customer runs with: `connectionOf`. */
  readonly connection: () => string;
  /** The last committed offset of each lane. */
  readonly committed: () => CommittedOffset[];
  /** The status record of an earlier owner of the customer. */
  readonly found: WorkerStatus | undefined;
}

/**
 * The state of a customer as this worker found it, and the customer's record in the status topic, which only this
 * worker writes.
 */
export class CustomerStatus {
  readonly #with: CustomerStatusOptions;
  #disabled: Pick<WorkerStatus, 'disabledEpoch' | 'disabledBecause'>;
  #isDisabled = false;

  constructor(options: CustomerStatusOptions) {
    const { disabledEpoch, disabledBecause } = options.found ?? {};
    this.#with = options;
    this.#disabled = {
      ...(disabledEpoch !== undefined && { disabledEpoch }),
      ...(disabledBecause !== undefined && { disabledBecause }),
    };
  }

  /** True if this worker disabled the customer under the current epoch. */
  get isDisabled(): boolean {
    return this.#isDisabled;
  }

  /** @param enableEpoch the epoch under which the reason was found; a later one enables the customer again */
  disable(enableEpoch: number, because: string): void {
    this.#isDisabled = true;
    this.#disabled = { disabledEpoch: enableEpoch, disabledBecause: because };
  }

  enable(): void {
    this.#isDisabled = false;
  }

  /**
   * Called straight after a commit only: the commit of a worker that was replaced fails, so it never writes a status.
   */
  async write(): Promise<WorkerStatus> {
    const { customer, worker, clock, gate, producer, connection, committed } = this.#with;
    const now = instantOf(clock);
    const status: WorkerStatus = {
      customer,
      worker,
      at: now.wallMs,
      ...this.#disabled,
      ...gate.status(now),
      connection: connection(),
      committed: committed(),
    };
    await producer.send([{ topic: STATUS_TOPIC, key: customer, value: encodeStatus(status) }]);
    return status;
  }
}
