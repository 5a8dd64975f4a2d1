import { createRequire } from 'node:module';
import { protocolErrorType } from '../../errors.ts';
import { patchMethod } from './patch-method.ts';

interface Runner {
  readonly heartbeatInterval: number;
  readonly consumerGroup: {
    readonly memberId: string | null;
    readonly generationId: number | null;
    heartbeat(options: { interval: number }): Promise<void>;
  };
}

const EXPECTED_SOURCE = `async heartbeat() {
    try {
      await this.consumerGroup.heartbeat({ interval: this.heartbeatInterval })
    } catch (e) {
      if (isRebalancing(e)) {
        await this.autoCommitOffsets()
      }
      throw e
    }
  }`;

/** After one of these errors the member has to join again; until then, no other answer will come. */
const FINAL_FOR_THE_GENERATION = new Set(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID']);

interface Ended {
  readonly memberId: string | null;
  readonly generationId: number | null;
  readonly error: unknown;
}

const endedBy = new WeakMap<object, Ended>();

async function heartbeat(this: Runner): Promise<void> {
  const group = this.consumerGroup;
  const { memberId, generationId } = group;
  const ended = endedBy.get(group);
  if (ended && ended.memberId === memberId && ended.generationId === generationId) throw ended.error;
  try {
    await group.heartbeat({ interval: this.heartbeatInterval });
  } catch (error) {
    if (FINAL_FOR_THE_GENERATION.has(protocolErrorType(error) ?? '')) {
      endedBy.set(group, { memberId, generationId, error });
    }
    throw error;
  }
}

/**
 * kafkajs 2.2.4 handles every partition of a fetch, empty ones too, before it looks at what went wrong with any, and
 * sends a heartbeat after each while the last one failed. So a member of 64 partitions sends 64 heartbeats, one after
 * the other, before it joins a rebalance: on a busy machine that took longer than the session time-out, and the member
 * was removed. Ours sends one per generation. (Nothing is committed automatically here, so that part is left out.)
 *
 * @throws {KafkaPortError} `DB_KAFKA_CLIENT_CHANGED`
 */
export function installHeartbeatPatch(
  runner: { name: string; prototype: object } = createRequire(import.meta.url)('kafkajs/src/consumer/runner'),
): void {
  patchMethod(runner, 'heartbeat', EXPECTED_SOURCE, heartbeat);
}
