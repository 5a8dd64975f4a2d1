/** A reader under a quota of the broker. It takes until the quota's window is over, too long for `npm test`. */
import { randomUUID } from 'node:crypto';
import { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { KafkaProducer } from '@databridge/kernel/kafka/producing/producer';
import { readTopics } from '@databridge/kernel/kafka/topic-reader';
import { createLogger } from '@databridge/kernel/log';
import { kafkaTool } from '@databridge/local-platform/jvm/kafka-tool';
import { platform } from '../../harness/platform.ts';

const settings = {
  brokers: platform().brokers,
  clientId: 'quota-test',
  log: createLogger('quota-test', 'silent'),
};
const admin = new KafkaAdmin(settings);
const producer = new KafkaProducer(settings);

beforeAll(() => Promise.all([admin.connect(), producer.connect()]));
afterAll(() => Promise.all([admin.disconnect(), producer.disconnect()]));

test('a broker under quota answers empty, which is not taken for the end', async () => {
  const topic = `reader.${randomUUID()}`;
  await admin.ensureTopics([{ topic, partitions: 2, config: {} }]);
  const throttled = { ...settings, clientId: `throttled-${randomUUID()}` };
  const quota = ['--entity-type', 'clients', '--entity-name', throttled.clientId];
  const { stdout, stderr } = await kafkaTool('kafka.admin.ConfigCommand', [
    ...['--bootstrap-server', platform().brokers.join(), '--alter', ...quota],
    ...['--add-config', 'consumer_byte_rate=40000'],
  ]);
  expect(stdout + stderr).toMatch(/Completed updating config/);
  const values = Array.from({ length: 60 }, (_, index) => String(index).padEnd(4_000, '.'));
  await producer.send(values.map((value) => ({ topic, key: value, value })));
  const found = new Set<string>();
  const reading = () =>
    readTopics(throttled, [topic], {
      onBatch({ records }) {
        for (const { value } of records) found.add(String(value));
      },
    });
  // The first reading uses up the quota; the second begins under it.
  await reading();
  found.clear();
  await reading();
  expect(found.size).toBe(values.length);
});
