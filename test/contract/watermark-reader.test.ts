import { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { WatermarkReader } from '@databridge/kernel/kafka/watermark-reader';
import { freshName } from '../harness/topics.ts';
import { createTopic, kafkaSettings, upstreamSend } from './kafka-fixture.ts';

const reader = new WatermarkReader(kafkaSettings());
const admin = new KafkaAdmin(kafkaSettings());

afterAll(async () => {
  reader.disconnect();
  await admin.disconnect();
});

test('tells where each partition begins and ends', async () => {
  const topic = freshName('ends');
  await createTopic(topic, 2);
  await upstreamSend(topic, ['a', 'b', 'c'], 1);
  expect(await reader.of([topic])).toEqual(
    new Map([
      [
        topic,
        [
          { partition: 0, low: 0, high: 0 },
          { partition: 1, low: 0, high: 3 },
        ],
      ],
    ]),
  );
  expect(await reader.of([])).toEqual(new Map());
});

test('a topic that does not exist is not in the answer, and takes no other with it', async () => {
  const [there, gone, never] = [freshName('there'), freshName('gone'), freshName('never')];
  await createTopic(there);
  await createTopic(gone);
  await upstreamSend(there, ['a']);
  expect([...(await reader.of([there, gone])).keys()].sort()).toEqual([there, gone].sort());

  await admin.deleteTopics([gone]);
  const ends = new Map([[there, [{ partition: 0, low: 0, high: 1 }]]]);
  expect(await reader.of([there])).toEqual(ends);
  expect(await reader.of([there, gone, never])).toEqual(ends);
  expect(await admin.listTopics()).not.toContain(never);
});

test('questions that are asked at the same time are all answered', async () => {
  const topics = Array.from({ length: 5 }, () => freshName('many'));
  await Promise.all(topics.map((topic) => createTopic(topic)));
  const answers = await Promise.all(topics.map((topic) => reader.of([topic])));
  expect(answers.flatMap((answer) => [...answer.keys()])).toEqual(topics);
});
