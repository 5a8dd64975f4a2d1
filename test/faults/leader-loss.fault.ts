/** Three brokers, everything on all three: the one that leads is killed, again and again. */

import { deliveryTopic } from '@databridge/schemas/records/topics';
import { upstreamKafka } from '../harness/kafka/upstream-kafka.ts';
import { expectKept, FaultRun } from './fault-run.ts';

let run: FaultRun;

beforeAll(async () => {
  run = await FaultRun.start({ scenario: 'the leader of three brokers dies', platform: { brokerCount: 3 } });
});
afterAll(() => run?.close());

/** From 0: which broker leads a customer's delivery topic. */
async function leader(): Promise<number> {
  const admin = upstreamKafka(run.platform.brokers).admin();
  await admin.connect();
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [deliveryTopic(run.customers[0] as string)] });
    const partition = topics[0]?.partitions[0];
    expect(partition?.replicas).toHaveLength(3);
    return (partition?.leader ?? 1) - 1;
  } finally {
    await admin.disconnect();
  }
}

test('the others take over, and nothing is lost', async () => {
  for (const signal of ['none', 'SIGTERM'] as const) {
    const at = await leader();
    await run.fault(`leader (broker ${at + 1}) killed`, ['delivery', 'fan-out'], async () => {
      await run.platform.stopBroker('kill', at);
      // With two of three left everything goes on.
      await run.flowing();
      if (signal === 'SIGTERM') expect((await run.workers[0]?.terminate())?.exit).toBe(0);
    });
    await run.fault(`broker ${at + 1} back`, ['delivery', 'fan-out'], () => run.platform.startBroker(at));
  }
  expectKept(await run.finish());
});
