/**
 * Our codecs against those of Apache Kafka: the broker compresses and decompresses with the Java client's own classes,
 * when a topic's `compression.type` is not what a batch comes in.
 */
import { createKafka } from '@databridge/kernel/kafka/kafkajs/client';
import kafkajs from 'kafkajs';
import { freshName } from '../harness/topics.ts';
import { createTopic, kafkaSettings, Recorder, until } from './kafka-fixture.ts';

const { CompressionCodecs, CompressionTypes } = kafkajs;

const CODECS = [
  ['gzip', CompressionTypes.GZIP],
  ['snappy', CompressionTypes.Snappy],
  ['lz4', CompressionTypes.LZ4],
  ['zstd', CompressionTypes.ZSTD],
] as const;

/** 500 KiB and more: several blocks of Snappy (32 KiB) and LZ4 (64 KiB). One line doesn't compress. */
const LINES = Array.from({ length: 5_000 }, (_, n) => `${n} ${'äb'.repeat(n % 50)} ${n ** 3} ${Math.sin(n)}`);

function spyOnCodec(type: number) {
  const codecs: Record<number, () => { compress(): unknown; decompress(): unknown }> = CompressionCodecs;
  const codec = codecs[type]?.();
  if (!codec) throw new Error(`no codec ${type}`);
  return {
    compress: jest.spyOn(codec, 'compress'),
    decompress: jest.spyOn(codec, 'decompress'),
  };
}

async function sendAll(topic: string, compression: number): Promise<void> {
  const producer = createKafka(kafkaSettings(), 'producer').producer({ allowAutoTopicCreation: false });
  await producer.connect();
  await producer.send({ topic, compression, messages: LINES.map((value) => ({ value, partition: 0 })) });
  await producer.send({ topic, compression, messages: [{ value: 'one', partition: 0 }] });
  await producer.disconnect();
}

async function expectAllRead(topic: string): Promise<void> {
  const reader = new Recorder({ groupId: freshName('g'), topics: [topic] });
  await reader.consumer.start();
  await until('all is read', () => reader.records.length > LINES.length || reader.failures.length > 0);
  expect(reader.failures).toEqual([]);
  expect(reader.values).toEqual([...LINES, 'one']);
}

afterEach(() => jest.restoreAllMocks());

test.each(CODECS)('what Java compressed by %s is read', async (codec, type) => {
  const topic = freshName(codec);
  await createTopic(topic, 1, { 'compression.type': codec });
  const spies = spyOnCodec(type);
  await sendAll(topic, CompressionTypes.None);
  await expectAllRead(topic);
  expect(spies.compress).not.toHaveBeenCalled();
  expect(spies.decompress).toHaveBeenCalled();
});

test.each(CODECS)('what we compress by %s is read by Java', async (codec, type) => {
  const topic = freshName(codec);
  await createTopic(topic, 1, { 'compression.type': 'uncompressed' });
  const spies = spyOnCodec(type);
  await sendAll(topic, type);
  await expectAllRead(topic);
  expect(spies.compress).toHaveBeenCalled();
  expect(spies.decompress).not.toHaveBeenCalled();
});
