/** The upstream producer: encodes with the registry's own client, as producers outside of this project do. */

import type { KafkaSettings } from '@databridge/kernel/kafka/client';
import { KafkaProducer } from '@databridge/kernel/kafka/producer';
import { COMPATIBILITY } from '@databridge/kernel/schema-registry';
import { loadEventTypes } from '@databridge/schemas/event-types';
import { HEADER } from '@databridge/schemas/headers';
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { EVENT_TYPE, INTAKE_TOPIC, type RootCauseEvent } from './cast.ts';

export class Upstream {
  readonly #registry: SchemaRegistry;
  readonly #producer: KafkaProducer;
  #schemaId = 0;

  constructor(kafka: KafkaSettings, registryUrl: string) {
    this.#registry = new SchemaRegistry({ host: registryUrl });
    this.#producer = new KafkaProducer(kafka);
  }

  async start(): Promise<void> {
    const [eventType] = loadEventTypes(`${EVENT_TYPE}=${INTAKE_TOPIC}`);
    if (eventType === undefined) throw new Error('the event type has a schema');
    const schema = { type: SchemaType.AVRO, schema: eventType.schemaJson } as const;
    // The rule that fan-out sets, which may be first: the client refuses a subject that goes by another than asked for.
    const rule = { subject: eventType.subject, compatibility: COMPATIBILITY };
    const { id } = await this.#registry.register(schema, rule);
    this.#schemaId = id;
    await this.#producer.connect();
  }

  async stop(): Promise<void> {
    await this.#producer.disconnect();
  }

  /** @returns the events' ids */
  async produce(events: readonly RootCauseEvent[]): Promise<string[]> {
    const records = await Promise.all(
      events.map(async (event) => {
        const { requestid } = event.summary;
        const value = await this.#registry.encode(this.#schemaId, event);
        return { topic: INTAKE_TOPIC, key: requestid, value, headers: { [HEADER.eventId]: requestid } };
      }),
    );
    await this.#producer.send(records);
    return records.map(({ key }) => key);
  }

  /** Bytes that are no event. */
  async produceGarbage(eventId: string): Promise<void> {
    const headers = { [HEADER.eventId]: eventId };
    await this.#producer.send([{ topic: INTAKE_TOPIC, key: eventId, value: 'not an Avro event', headers }]);
  }
}
