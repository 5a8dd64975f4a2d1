import { createRequire } from 'node:module';
import { patchMethod } from './patch-method.ts';

interface Runner {
  readonly running: boolean;
  readonly fetchManager: { stop(): Promise<void> };
}

type Fetch = (this: Runner, nodeId: number) => Promise<readonly unknown[]>;

const EXPECTED_SOURCE = `async fetch(nodeId) {
    if (!this.running) {
      this.logger.debug('consumer not running, exiting', {
        groupId: this.consumerGroup.groupId,
        memberId: this.consumerGroup.memberId,
      })

      return []
    }

    const startFetch = Date.now()

    this.instrumentationEmitter.emit(FETCH_START, { nodeId })

    const batches = await this.consumerGroup.fetch(nodeId)

    this.instrumentationEmitter.emit(FETCH, {
      numberOfBatches: 0,
      duration: Date.now() - startFetch,
      nodeId,
    })

    if (batches.length === 0) {
      await this.heartbeat()
    }

    return batches
  }`;

let fetchOfKafkajs: Fetch;

const fetch: Fetch = function (nodeId) {
  if (this.running) return fetchOfKafkajs.call(this, nodeId);
  // Resolves when this call's own fetcher has ended too, so it is not awaited here. It cannot reject.
  void this.fetchManager.stop();
  return Promise.resolve([]);
};

/**
 * kafkajs 2.2.4 starts a fetcher for each broker, and new ones when the set of brokers has changed. If the consumer is
 * stopped while the old ones end, the new ones start after the stop: they get nothing and ask again at once, forever and
 * in microtasks. Then no timer, no socket and no signal of the process is handled any more. Here a fetcher that asks
 * after the stop is stopped as well.
 *
 * @throws {KafkaPortError} `DB_KAFKA_CLIENT_CHANGED`
 */
export function installFetchPatch(
  runner: { name: string; prototype: object } = createRequire(import.meta.url)('kafkajs/src/consumer/runner'),
): void {
  const found: unknown = Reflect.get(runner.prototype, 'fetch');
  patchMethod(runner, 'fetch', EXPECTED_SOURCE, fetch);
  if (found !== fetch) fetchOfKafkajs = found as Fetch;
}
