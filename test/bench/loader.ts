/** Fills topics as fast as they can be filled: what is loaded is not what is measured. */
import { setTimeout as delay } from 'node:timers/promises';
import { HEADER, writeDeliveryHeaders } from '@databridge/schemas/records/headers';
import { ProduceAcks, Producer } from '@platformatic/kafka';

export interface Load {
  /** One for all, or the n-th's. */
  readonly topic: string | ((n: number) => string);
  readonly count: number;
  readonly values: readonly Buffer[];
  readonly headers: (n: number) => Record<string, string>;
  /** As evenly as that, instead of at once. */
  readonly perSecond?: number;
}

/** Of 2 KB each: what goes to one partition is one record batch, and the topics take just over 1 MiB. */
const BATCH_RECORDS = 400;
const AT_ONCE = 4;

/** Connects, writes all, disconnects. */
export async function load(brokers: readonly string[], load: Load): Promise<void> {
  // A topic that was just created may have no leader yet.
  const producer = new Producer({
    clientId: 'bench-loader',
    bootstrapBrokers: [...brokers],
    retries: 40,
    retryDelay: 250,
  });
  try {
    const startedAtMs = performance.now();
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < load.count) {
        const from = next;
        const size = load.perSecond === undefined ? BATCH_RECORDS : Math.ceil(load.perSecond / 50);
        next = Math.min(load.count, from + size);
        if (load.perSecond !== undefined) {
          const atMs = startedAtMs + (from / load.perSecond) * 1_000;
          await delay(Math.max(0, atMs - performance.now()));
        }
        const messages = Array.from({ length: next - from }, (_, at) => messageOf(load, from + at));
        await producer.send({ messages, acks: ProduceAcks.ALL });
      }
    };
    await Promise.all(Array.from({ length: load.perSecond === undefined ? AT_ONCE : 1 }, work));
  } finally {
    await producer.close();
  }
}

function messageOf({ topic, values, headers }: Load, n: number) {
  const written = headers(n);
  return {
    topic: typeof topic === 'string' ? topic : topic(n),
    key: Buffer.from(String(written[HEADER.eventId])),
    value: values[n % values.length] as Buffer,
    headers: new Map(Object.entries(written).map(([name, value]) => [Buffer.from(name), Buffer.from(value)])),
  };
}

/** As an upstream producer sends them. */
export function intakeHeaders(prefix = 'evt'): (n: number) => Record<string, string> {
  return (n) => ({ [HEADER.eventId]: `${prefix}_${n}` });
}

/** As fan-out writes them. */
export function laneHeaders(eventType: string, intake: string): (n: number) => Record<string, string> {
  return (n) => texts(writeDeliveryHeaders({ eventId: `evt_${n}`, eventType, source: `${intake}/0/${n}`, attempt: 0 }));
}

/** As delivery writes what has failed once. */
export function retryHeaders(eventType: string, intake: string): (n: number) => Record<string, string> {
  const firstAttemptAtMs = Date.now();
  return (n) => {
    const first = { eventId: `evt_${n}`, eventType, source: `${intake}/0/${n}`, attempt: 1, firstAttemptAtMs };
    return texts(writeDeliveryHeaders({ ...first, enableEpoch: 0, lastOutcome: 'status 503' }));
  };
}

function texts(headers: ReturnType<typeof writeDeliveryHeaders>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
