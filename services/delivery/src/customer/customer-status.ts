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
  /** Fingerprint of the subscription that the customer runs with: `connectionOf`. */
  readonly connection: () => string;
  /** What this worker last committed of each lane. */
  readonly committed: () => CommittedOffset[];
  /** What an earlier owner of the customer left. */
  readonly found: WorkerStatus | undefined;
}

/** What this worker found out about its customer, and its record in the status topic, which it alone writes. */
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

  /** Disabled by this worker, under the epoch in force. */
  get isDisabled(): boolean {
    return this.#isDisabled;
  }

  /** @param enableEpoch under which it was found; a later one enables again */
  disable(enableEpoch: number, because: string): void {
    this.#isDisabled = true;
    this.#disabled = { disabledEpoch: enableEpoch, disabledBecause: because };
  }

  enable(): void {
    this.#isDisabled = false;
  }

  /** Straight after a commit only: a zombie's commit fails, and so it never writes a status. */
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
