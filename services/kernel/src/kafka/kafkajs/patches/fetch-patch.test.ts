import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { installFetchPatch } from './fetch-patch.ts';

installFetchPatch();

const Runner = createRequire(import.meta.url)('kafkajs/src/consumer/runner');
/** Without the patch there is no limit: the process would hang, and no time-out of the test would end it. */
const MAX_LOOK_UPS = 1_000;

const logger = { namespace: () => logger, debug() {}, info() {}, warn() {}, error() {} };

test('a consumer that is stopped while the set of brokers changes ends', async () => {
  let nodeIds = [1, 2];
  let lookUps = 0;
  let hasLeft = false;
  const slow = Promise.withResolvers<unknown[]>();
  const other = Promise.withResolvers<unknown[]>();
  const consumerGroup = {
    ...{ groupId: 'group', memberId: 'a', connect: async () => {}, joinAndSync: async () => {} },
    heartbeat: async () => {},
    getNodeIds() {
      lookUps++;
      if (lookUps > MAX_LOOK_UPS) throw new Error('fetchers ask forever');
      return nodeIds;
    },
    fetch: (nodeId: number) => (nodeId === 1 ? slow.promise : other.promise),
    async leave() {
      hasLeft = true;
    },
  };
  const runner = new Runner({
    ...{ logger, consumerGroup, instrumentationEmitter: new EventEmitter(), onCrash() {} },
    ...{ eachBatch: async () => {}, heartbeatInterval: 1_000, retry: { retries: 0 } },
  });
  await runner.start();
  // The fetcher of broker 2 sees the change; the one of broker 1, whose answer is on its way, is waited for.
  nodeIds = [1, 3];
  other.resolve([]);
  await new Promise((resolve) => setImmediate(resolve));
  const stopped = runner.stop();
  slow.resolve([]);
  await stopped;
  expect(hasLeft).toBe(true);
  expect(lookUps).toBeLessThan(20);
});
