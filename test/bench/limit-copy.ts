/**
 * What a fan-out can do at the most: the same bytes to the same topics, by the fastest clients that JavaScript has
 * (kafkajs consumes fastest, @platformatic/kafka produces fastest), and nothing else. A process of its own.
 */
import { ProduceAcks, Producer } from '@platformatic/kafka';
import kafkajs from 'kafkajs';

export interface CopyOrder {
  readonly brokers: string[];
  readonly groupId: string;
  readonly from: string;
  /** In turns: which event goes where makes no difference to the cost. */
  readonly to: string[];
}

/** Written and acknowledged so far. */
export interface CopyReport {
  readonly kind: 'copied';
  readonly copied: number;
}

/** As much as fan-out buffers: so many fetched batches may wait for their acknowledgement. */
const BATCHES_AT_ONCE = 6;

let copied = 0;

async function copy({ brokers, groupId, from, to }: CopyOrder): Promise<void> {
  const producer = new Producer({ clientId: 'bench-copy', bootstrapBrokers: brokers });
  const kafka = new kafkajs.Kafka({ clientId: 'bench-copy', brokers, logLevel: kafkajs.logLevel.ERROR });
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 500 });
  const open = new Set<Promise<void>>();
  let turn = 0;
  await consumer.connect();
  await consumer.subscribe({ topics: [from], fromBeginning: true });
  await consumer.run({
    partitionsConsumedConcurrently: 1,
    eachBatch: async ({ batch }) => {
      const messages = batch.messages.map(({ key, value }) => ({
        topic: to[turn++ % to.length] as string,
        key: key as Buffer,
        value: value as Buffer,
        partition: 0,
      }));
      const sent = producer.send({ messages, acks: ProduceAcks.ALL }).then(() => {
        copied += messages.length;
        open.delete(sent);
      });
      open.add(sent);
      if (open.size >= BATCHES_AT_ONCE) await Promise.race(open);
    },
  });
}

process.on('message', (message: CopyOrder | 'how far?') => {
  if (message === 'how far?') process.send?.({ kind: 'copied', copied } satisfies CopyReport);
  else void copy(message);
});
// Nothing else keeps it alive until the order comes.
process.channel?.ref();
process.send?.({ kind: 'ready' });
