import type { Consumer } from 'kafkajs';
import { Backoff, KAFKA_BACKOFF } from '../../time/backoff.ts';
import { pause } from '../../time/pause.ts';
import { KafkaPortError, toPortError } from '../errors.ts';
import type { CommittedOffset } from '../records.ts';
import type { Membership } from './membership.ts';

export interface CommitsInTurnOptions {
  /** The present consumer; undefined between two runs. */
  consumer(): Pick<Consumer, 'commitOffsets'> | undefined;
  /** Called when the broker says that the membership has ended. */
  onLost(membership: Membership): void;
}

const COMMIT_ATTEMPTS = 5;

/** Makes commits one after the other, so a later one is never undone by an earlier one's retry. */
export class CommitsInTurn {
  readonly #with: CommitsInTurnOptions;
  #last: Promise<void> = Promise.resolve();

  constructor(options: CommitsInTurnOptions) {
    this.#with = options;
  }

  /** @throws {KafkaPortError} `DB_KAFKA_MEMBERSHIP_LOST`; `DB_KAFKA_UNAVAILABLE` after a few tries */
  async commit(membership: Membership, offsets: readonly CommittedOffset[]): Promise<void> {
    const commit = this.#last.then(() => this.#commitNow(membership, offsets));
    this.#last = commit.catch(() => {});
    await commit;
  }

  async #commitNow(membership: Membership, offsets: readonly CommittedOffset[]): Promise<void> {
    const request = offsets.map((offset) => ({ ...offset, offset: String(offset.offset) }));
    // Without jitter: the number of tries is limited, so their total time must not shrink.
    const backoff = new Backoff(KAFKA_BACKOFF, () => 1);
    for (;;) {
      const consumer = this.#with.consumer();
      if (!membership.isCurrent || !consumer) {
        throw new KafkaPortError('DB_KAFKA_MEMBERSHIP_LOST', 'commit: the membership has ended');
      }
      try {
        await consumer.commitOffsets(request);
        return;
      } catch (thrown) {
        const error = toPortError(thrown, 'commit');
        if (error.code === 'DB_KAFKA_MEMBERSHIP_LOST') this.#with.onLost(membership);
        const retryInMs = backoff.next();
        if (!error.retryable || backoff.failures === COMMIT_ATTEMPTS) throw error;
        await pause(retryInMs);
      }
    }
  }
}
