/**
 * Floods the intake with poison, as a process of its own: to encode 100,000 headers takes kafkajs 0.6 s, in which a test
 * that measures delays would stand still. Started by {@link floodFor} of poison.ts.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { poisonFor, sendBomb } from './poison.ts';
import { startUpstream } from './produce.ts';

const EVERY_MS = 1_000;

const upstream = await startUpstream(process.env['POISON_TOPIC'] ?? '');
const poison = await poisonFor(upstream);
let isOn = true;
process.once('message', () => {
  isOn = false;
});
process.send?.('ready');
let records = 0;
await sendBomb(upstream, poison);
records++;
while (isOn) {
  await upstream.produceRaw(poison.records);
  records += poison.records.length;
  await delay(EVERY_MS);
}
await upstream.stop();
process.send?.({ records });
process.disconnect();
