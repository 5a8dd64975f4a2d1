/** The upstream producer: encodes with the registry's own client, as producers outside this project do. */

import type { KafkaSettings } from '@databridge/kernel/kafka/kafkajs/client';
import { KafkaProducer } from '@databridge/kernel/kafka/producing/producer';
import { SchemaRegistry } from '@databridge/kernel/registry/schema-registry';
import { loadEventTypes } from '@databridge/schemas/event/event-types';
import { HEADER } from '@databridge/schemas/records/headers';
import { SchemaRegistry as Client } from '@kafkajs/confluent-schema-registry';
import { EVENT_TYPE, INTAKE_TOPIC } from './customers/cast.ts';
import type { RootCauseEvent } from './customers/root-cause-event.ts';

export class Upstream {
  readonly #registryUrl: string;
  readonly #client: Client;
  readonly #producer: KafkaProducer;
  #schemaId = 0;

  constructor(kafka: KafkaSettings, registryUrl: string) {
    this.#registryUrl = registryUrl;
    this.#client = new Client({ host: registryUrl });
    this.#producer = new KafkaProducer(kafka);
  }

  async start(): Promise<void> {
    const [eventType] = loadEventTypes(`${EVENT_TYPE}=${INTAKE_TOPIC}`);
    if (eventType === undefined) throw new Error('the event type has a schema');
    // Fan-out registers it too, perhaps in the same moment: the service's own way knows of that.
    const registry = new SchemaRegistry({ url: this.#registryUrl });
    this.#schemaId = await registry.register(eventType.subject, eventType.schemaJson);
    await this.#producer.connect();
  }

  async stop(): Promise<void> {
    await this.#producer.disconnect();
  }

  /** @returns the ids of the events */
  async produce(events: readonly RootCauseEvent[]): Promise<string[]> {
    const records = await Promise.all(
      events.map(async (event) => {
        const { requestid } = event.summary;
        const value = await this.#client.encode(this.#schemaId, event);
        return { topic: INTAKE_TOPIC, key: requestid, value, headers: { [HEADER.eventId]: requestid } };
      }),
    );
    await this.#producer.send(records);
    return records.map(({ key }) => key);
  }

  /** Produces bytes that are no event. */
  async produceGarbage(eventId: string): Promise<void> {
    const headers = { [HEADER.eventId]: eventId };
    await this.#producer.send([{ topic: INTAKE_TOPIC, key: eventId, value: 'not an Avro event', headers }]);
  }
}
