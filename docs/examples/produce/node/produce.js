// node produce.js event.json
// Writes one Root Cause event to Kafka and prints where it stands: topic/partition/offset.
import { readFile } from 'node:fs/promises';
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { CompressionTypes, Kafka, logLevel } from 'kafkajs';

const topic = process.env.INTAKE_TOPIC ?? 'root-cause.events';
const brokers = (process.env.KAFKA_BROKERS ?? 'localhost:9092').split(',');
const registry = new SchemaRegistry({ host: process.env.SCHEMA_REGISTRY_URL ?? 'http://localhost:8081' });

const event = JSON.parse(await readFile(process.argv[2] ?? '../event.json', 'utf8'));

// The latest registered schema of the topic. Encoding fails if the event does not fit it.
const schemaId = await registry.getLatestSchemaId(`${topic}-value`);
const value = await registry.encode(schemaId, event);

const kafka = new Kafka({ clientId: 'produce-root-cause', brokers, logLevel: logLevel.ERROR });
const producer = kafka.producer({ allowAutoTopicCreation: false });
await producer.connect();
try {
  const [written] = await producer.send({
    topic,
    acks: -1, // All in-sync replicas have the event before `send` resolves.
    compression: CompressionTypes.GZIP,
    messages: [
      {
        key: event.summary.requestid,
        value,
        // One id per event, the same if the event is written again: receivers drop duplicates by it.
        headers: { 'event-id': event.summary.requestid },
      },
    ],
  });
  console.log(`${topic}/${written.partition}/${written.baseOffset}`);
} finally {
  await producer.disconnect();
}
