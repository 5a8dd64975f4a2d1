import { createKafka } from '@databridge/kernel/kafka/kafkajs/client';
import { freshName } from '../harness/topics.ts';
import { createTopic, kafkaSettings, Recorder, until } from './kafka-fixture.ts';

test('connections that wait for the broker arm next to no timers', async () => {
  const warnings: string[] = [];
  const onWarning = ({ name }: Error) => warnings.push(name);
  process.on('warning', onWarning);
  const topic = freshName('idle');
  await createTopic(topic);
  let drained = 0;
  const reader = new Recorder({
    groupId: freshName('g'),
    topics: [topic],
    maxWaitMs: 500,
    heartbeatIntervalMs: 1_000,
    onDrained: () => drained++,
  });
  await reader.consumer.start();
  await until('all is read', () => drained > 0);
  const armed = jest.spyOn(globalThis, 'setTimeout');
  const sinceMs = performance.now();
  // Called after each fetch that waited in vain: from the first to the third, connections waited for a second.
  const atFirst = drained;
  await until('two more fetches waited in vain', () => drained >= atFirst + 2);
  // Unpatched, each of its connections would have armed one a millisecond. A busy machine makes the time longer.
  expect(armed.mock.calls.length).toBeLessThan((performance.now() - sinceMs) / 25);
  armed.mockRestore();
  process.off('warning', onWarning);
  expect(warnings).not.toContain('TimeoutNegativeWarning');
});

test('requests that must queue are sent all the same', async () => {
  const topic = freshName('busy');
  await createTopic(topic);
  const producer = createKafka(kafkaSettings(), 'producer').producer({
    allowAutoTopicCreation: false,
    maxInFlightRequests: 1,
  });
  await producer.connect();
  const messages = [{ value: 'x', partition: 0 }];
  await Promise.all(Array.from({ length: 50 }, () => producer.send({ topic, messages })));
  await producer.disconnect();
  const reader = new Recorder({ groupId: freshName('g'), topics: [topic] });
  await reader.consumer.start();
  await until('all is read', () => reader.records.length >= 50);
});
