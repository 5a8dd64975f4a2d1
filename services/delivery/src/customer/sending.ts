import type { Logger } from '@databridge/kernel/log';
import type { BufferedRecord } from '../lanes/buffered-records.ts';
import type { Punctuality } from '../observe/punctuality.ts';
import type { InFlightShare } from '../shares/in-flight.ts';
import type { Turn } from '../shares/turns.ts';

export interface SendingOptions {
  readonly log: Logger;
  readonly inFlight: InFlightShare;
  readonly turn: Turn;
  readonly punctuality: Pick<Punctuality, 'recordStart'>;
  /** The next record to send, taken from its lane; undefined when none may be sent now. */
  readonly take: () => BufferedRecord | undefined;
  /** Delivers a record that was taken; resolves when its offset is done, or when it was put back. */
  readonly deliver: (record: BufferedRecord) => Promise<void>;
}

/** Sends a customer's records in its turns, and knows which of them are in flight. */
export class Sending {
  readonly #with: SendingOptions;
  readonly #inFlight = new Set<BufferedRecord>();
  #isPumping = false;
  #onIdle: (() => void) | undefined;

  constructor(options: SendingOptions) {
    this.#with = options;
  }

  /** Records that were taken from their lanes and are not done. */
  get inFlight(): ReadonlySet<BufferedRecord> {
    return this.#inFlight;
  }

  /** Sends every record that may be sent now; an event or the wake-up timer calls it again when more may be sent. */
  pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    const { turn, punctuality, take, deliver } = this.#with;
    try {
      while (turn.requestTurn()) {
        const record = take();
        if (record === undefined) break;
        punctuality.recordStart(record);
        turn.work(() => void this.run(record, () => deliver(record)));
      }
    } finally {
      this.#isPumping = false;
    }
  }

  /** Runs a delivery, and counts the record as in flight until it ends. */
  async run(record: BufferedRecord, deliver: () => Promise<void>): Promise<void> {
    const { bytes, facts } = record;
    const share = this.#with.inFlight;
    share.begin(bytes);
    this.#inFlight.add(record);
    try {
      await deliver();
    } catch (error) {
      // Even its dead letter could not be made. The record stays undone, and is not attempted again before a restart.
      this.#with.log.error(
        { event: 'record_stuck', err: error, eventId: facts.eventId },
        'record neither delivered nor dead-lettered',
      );
    } finally {
      share.end(bytes);
      this.#inFlight.delete(record);
      this.pump();
      if (share.count === 0) this.#onIdle?.();
    }
  }

  /** Resolves when nothing is in flight. The caller takes no further records. */
  async idle(): Promise<void> {
    if (this.#with.inFlight.count === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }
}
