/**
 * Floods the intake with poison, as a process of its own and of the lowest priority: it stands for producers on other
 * machines. Started by `startFlood` of poison.ts.
 */
import { constants, setPriority } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
// With it, kafkajs encodes in linear time: its own encoder takes 0.6 s for 100,000 headers.
import '@databridge/kernel/kafka/kafkajs/client';
import kafkajs from 'kafkajs';
import { startUpstream } from '../produce.ts';
import { packedBomb, poisonFor } from './poison.ts';

const EVERY_MS = 500;
const { CompressionCodecs, CompressionTypes } = kafkajs;

setPriority(constants.priority.PRIORITY_LOW);
const topic = process.env['POISON_TOPIC'] ?? '';
const upstream = await startUpstream(topic);
const packed = await startUpstream(topic, { compression: CompressionTypes.GZIP });
const poison = await poisonFor(upstream);
const bomb = packedBomb();
const { decompress } = CompressionCodecs[CompressionTypes.GZIP]();
// Whatever is to be packed: each batch of `packed` is a bomb.
CompressionCodecs[CompressionTypes.GZIP] = () => ({ compress: async () => bomb, decompress });
let isOn = true;
process.once('message', () => {
  isOn = false;
});
let records = 0;
while (isOn) {
  await upstream.produceRaw(poison);
  await packed.produceRaw([{ key: 'bomb', value: Buffer.alloc(0) }]);
  if (records === 0) process.send?.('begun');
  records += poison.length + 1;
  await delay(EVERY_MS);
}
await Promise.all([upstream.stop(), packed.stop()]);
process.send?.({ records });
process.disconnect();
