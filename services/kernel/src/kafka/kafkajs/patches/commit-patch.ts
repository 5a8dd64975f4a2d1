import { createRequire } from 'node:module';
import { patchMethod } from './patch-method.ts';

interface Runner {
  readonly consumerGroup: { commitOffsets(offsets: unknown): Promise<void> };
}

const EXPECTED_SOURCE = `commitOffsets(offsets) {
    if (!this.running) {
      this.logger.debug('consumer not running, exiting', {
        groupId: this.consumerGroup.groupId,
        memberId: this.consumerGroup.memberId,
        offsets,
      })
      return
    }

    return this.retrier(async (bail, retryCount, retryTime) => {
      try {
        await this.consumerGroup.commitOffsets(offsets)
      } catch (e) {
        if (!this.running) {
          this.logger.debug('consumer not running, exiting', {
            error: e.message,
            groupId: this.consumerGroup.groupId,
            memberId: this.consumerGroup.memberId,
            offsets,
          })
          return
        }

        if (e.name === 'KafkaJSNotImplemented') {
          return bail(e)
        }

        this.logger.debug('Error while committing offsets, trying again...', {
          groupId: this.consumerGroup.groupId,
          memberId: this.consumerGroup.memberId,
          error: e.message,
          stack: e.stack,
          retryCount,
          retryTime,
          offsets,
        })

        throw e
      }
    })
  }`;

function commitOffsets(this: Runner, offsets: unknown): Promise<void> {
  return this.consumerGroup.commitOffsets(offsets);
}

/**
 * kafkajs 2.2.4 retries a commit on its own, and a retry after a rejoin carries the **new** generation: the old
 * membership's offsets are then stored under the new one. And while the consumer starts or stops, it resolves without
 * having committed. Ours makes one request per call, and returns its result; the caller decides whether to try again.
 *
 * @throws {KafkaPortError} `DB_KAFKA_CLIENT_CHANGED`
 */
export function installCommitPatch(
  runner: { name: string; prototype: object } = createRequire(import.meta.url)('kafkajs/src/consumer/runner'),
): void {
  patchMethod(runner, 'commitOffsets', EXPECTED_SOURCE, commitOffsets);
}
