import { createRequire } from 'node:module';
import { KafkaPortError } from '../errors.ts';

/** How long the broker may hold a fetch that finds nothing: asked anew for each fetch. */
export type MaxWait = () => number;

const ASSIGNMENT = 'this.maxWaitTime = maxWaitTimeInMs';
const ASSIGNED = Symbol('maxWaitTime');

/**
 * kafkajs 2.2.4 takes one time for all fetches of a consumer. A worker of 1,000 idle customers then either polls for
 * nothing thousands of times a second, or a busy customer's resumed lane waits for long. Ours lets `maxWaitTimeInMs`
 * be a function.
 *
 * @throws {KafkaPortError} `DB_KAFKA_CLIENT_CHANGED`
 */
export function installMaxWaitPatch(
  consumerGroup: { name: string; prototype: object } = createRequire(import.meta.url)(
    'kafkajs/src/consumer/consumerGroup',
  ),
): void {
  if (Object.hasOwn(consumerGroup.prototype, 'maxWaitTime')) return;
  if (!consumerGroup.toString().includes(ASSIGNMENT)) {
    throw new KafkaPortError(
      'DB_KAFKA_CLIENT_CHANGED',
      `kafkajs changed ${consumerGroup.name}: check whether our patch of maxWaitTime is still needed, and adapt it`,
    );
  }
  Object.defineProperty(consumerGroup.prototype, 'maxWaitTime', {
    get(this: { [ASSIGNED]: number | MaxWait }) {
      const assigned = this[ASSIGNED];
      return typeof assigned === 'function' ? assigned() : assigned;
    },
    set(this: { [ASSIGNED]: number | MaxWait }, assigned: number | MaxWait) {
      this[ASSIGNED] = assigned;
    },
  });
}
