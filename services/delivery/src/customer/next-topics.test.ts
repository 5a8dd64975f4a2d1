import { Ending } from '@databridge/kernel/ending';
import { KafkaPortError } from '@databridge/kernel/kafka/errors';
import { createLogger } from '@databridge/kernel/log';
import { ManualClock } from '@databridge/kernel/time/manual-clock';
import type { BufferedRecord } from '../lanes/buffered-records.ts';
import { NextTopics } from './next-topics.ts';

test('an event that is erased while its write waits for Kafka is not written', async () => {
  const clock = new ManualClock();
  let isErased = false;
  let sends = 0;
  const next = new NextTopics(
    {
      clock,
      log: createLogger('test', 'silent'),
      metrics: { ownFaults: { inc: () => undefined } } as never,
      producer: {
        send: async () => {
          sends++;
          isErased = true;
          throw new KafkaPortError('DB_KAFKA_UNAVAILABLE', 'no leader');
        },
      },
      isOurs: () => true,
      isErased: () => isErased,
      ensure: async () => undefined,
      stopping: new Ending(),
      random: () => 0.5,
    },
    ['delivery.acme.retry.1s'],
  );
  const facts = { eventId: 'evt-1', eventType: 'root-cause', attempt: 0 };
  const written = next.write({ topic: 'delivery.acme.retry.1s', key: 'evt-1', value: 'x' }, {
    facts,
  } as unknown as BufferedRecord);
  while (sends === 0 || clock.untilNextTimerMs() === undefined) await new Promise(setImmediate);
  clock.advance(60_000);
  expect(await written).toBe(true);
  expect(sends).toBe(1);
});

test("a record that becomes another worker's while its topic is created is not written", async () => {
  let isOurs = true;
  const written: string[] = [];
  const next = new NextTopics(
    {
      clock: new ManualClock(),
      log: createLogger('test', 'silent'),
      metrics: { ownFaults: { inc: () => undefined } } as never,
      producer: { send: async (records) => void written.push(...records.map(({ topic }) => topic)) },
      isOurs: () => isOurs,
      ensure: async () => {
        isOurs = false;
      },
      stopping: new Ending(),
      random: () => 0.5,
    },
    [],
  );
  const record = { facts: { eventId: 'evt-1', eventType: 'root-cause', attempt: 0 } } as unknown as BufferedRecord;
  expect(await next.write({ topic: 'delivery.acme.retry.1s', key: 'evt-1', value: 'x' }, record)).toBe(false);
  expect(written).toEqual([]);
});
