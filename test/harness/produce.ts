import { readFile } from 'node:fs/promises';
import { intakeTopic } from '@databridge/schemas/records/topics';
import { COMPATIBILITY, SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { CompressionTypes } from 'kafkajs';
import type { RootCauseEvent } from './events.ts';
import { upstreamKafka } from './kafka/upstream-kafka.ts';
import { platform } from './platform.ts';
import { createTopic } from './topics.ts';

const avscFile = new URL('../../schemas/avro/root-cause.v1.0.avsc', import.meta.url);

export interface IntakeRecord {
  key: string | null;
  value: Buffer | null;
  headers?: Record<string, string>;
}

/** An upstream producer: plain kafkajs and the registry's client, sharing no code with the service. */
export interface UpstreamProducer {
  readonly topic: string;
  readonly schemaId: number;
  encode(event: RootCauseEvent): Promise<Buffer>;
  /** @returns what was produced, in order */
  produce(events: readonly RootCauseEvent[], headers?: Record<string, string>): Promise<IntakeRecord[]>;
  /** Records as they are, malformed ones too. */
  produceRaw(records: readonly IntakeRecord[]): Promise<void>;
  stop(): Promise<void>;
}

const BATCH_RECORDS = 1_000;

/** Creates the intake topic if it isn't there, and registers the Root Cause schema for it. */
export async function startUpstream(
  topic: string,
  options: { partitions?: number; brokers?: string[]; registryUrl?: string; compression?: CompressionTypes } = {},
): Promise<UpstreamProducer> {
  const { brokers, registryUrl, partitions = 3, compression = CompressionTypes.None } = { ...platform(), ...options };
  const kafka = upstreamKafka(brokers);
  const admin = kafka.admin();
  await admin.connect();
  const spec = intakeTopic(topic, partitions);
  const configEntries = Object.entries(spec.config).map(([name, value]) => ({ name, value }));
  await createTopic(admin, { topic, numPartitions: partitions, replicationFactor: 1, configEntries });
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  const partitionCount = topics[0]?.partitions.length ?? partitions;
  await admin.disconnect();

  const registry = new SchemaRegistry({ host: registryUrl });
  const schema = await readFile(avscFile, 'utf8');
  // The rule that fan-out sets, which may be first: the client refuses a subject that goes by another than asked for.
  const rule = { subject: `${topic}-value`, compatibility: COMPATIBILITY.FULL_TRANSITIVE };
  const register = () => registry.register({ type: SchemaType.AVRO, schema }, rule);
  // Fan-out may register it in the same moment: all but one may be told that "it exists already", and find it after.
  const { id } = await register().catch((error) => (error.status === 409 ? register() : Promise.reject(error)));

  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();

  let sent = 0;
  async function produceRaw(records: readonly IntakeRecord[]): Promise<void> {
    for (let start = 0; start < records.length; start += BATCH_RECORDS) {
      const messages = records.slice(start, start + BATCH_RECORDS).map((record) => ({
        ...record,
        partition: sent++ % partitionCount,
      }));
      const answers = await producer.send({ topic, messages, acks: -1, compression });
      // While a leader moves, plain kafkajs may leave out a partition and resolve: what was not answered was not sent.
      const answered = new Set(answers.map(({ partition }) => partition));
      const missing = messages.filter(({ partition }) => !answered.has(partition));
      if (missing.length > 0) throw new Error(`${missing.length} records of ${topic} were not acknowledged`);
    }
  }

  return {
    topic,
    schemaId: id,
    encode: (event) => registry.encode(id, event),
    async produce(events, headers) {
      const records = await Promise.all(
        events.map(async (event) => ({
          key: event.summary.requestid,
          value: await registry.encode(id, event),
          ...(headers && { headers }),
        })),
      );
      await produceRaw(records);
      return records;
    },
    produceRaw,
    stop: () => producer.disconnect(),
  };
}
