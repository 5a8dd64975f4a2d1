/** A broker that answers some partitions with errors for a minute, and one that evicts the fetch session: the others go on. */
import { setTimeout as delay } from 'node:timers/promises';
import { deliveryTopic } from '@databridge/schemas/records/topics';
import { KafkaTamper } from '../harness/kafka/kafka-tamper.ts';
import { expectKept, FaultRun } from './fault-run.ts';

const KAFKA_STORAGE_ERROR = 56;
const MINUTE_MS = 60_000;
const EVICTIONS = 20;

let run: FaultRun;
let tamper: KafkaTamper;

beforeAll(async () => {
  run = await FaultRun.start({ scenario: 'a broker refuses some partitions', workers: 1 });
  tamper = await KafkaTamper.start(run.platform.brokers[0] as string);
  await run.addWorker({ KAFKA_BROKERS: tamper.broker });
  // The one that reads past the tampering has done its duty.
  await run.workers[0]?.end();
  await run.flowing();
});
afterAll(async () => {
  await run?.close();
  await tamper?.stop();
});

test('the other customers go on meanwhile, then these do, and nothing is lost or passed over', async () => {
  const [troubled = '', ...others] = run.customers;
  await run.fault('errors for one customer’s partition for 60 s', ['delivery'], async () => {
    const untilMs = performance.now() + MINUTE_MS;
    tamper.errorOf = (topic) => (topic === deliveryTopic(troubled) ? KAFKA_STORAGE_ERROR : 0);
    while (performance.now() < untilMs) {
      await run.flowing(MINUTE_MS, others);
      await delay(1_000);
    }
    expect(tamper.changed).toBeGreaterThan(5);
    tamper.errorOf = () => 0;
  });
  await run.fault(`fetch session evicted ${EVICTIONS} times`, ['delivery'], async () => {
    for (let n = 0; n < EVICTIONS; n++) {
      tamper.evict(1);
      await run.until(() => tamper.evictionsLeft === 0, MINUTE_MS);
    }
  });
  expectKept(await run.finish());
});
