/** The topics that producers write to, described by AsyncAPI 3. */
import type { EventType } from '@databridge/schemas/event/event-types';
import { HEADER } from '@databridge/schemas/records/headers';
import { pascalCase } from './webhooks.ts';

/** @param eventTypes with their intake topics */
export function asyncApiOf(eventTypes: readonly EventType[]): Readonly<Record<string, unknown>> {
  const channels: Record<string, unknown> = {};
  const operations: Record<string, unknown> = {};
  const messages: Record<string, unknown> = {};
  for (const type of eventTypes) {
    const name = pascalCase(type.name);
    messages[name] = messageOf(type);
    channels[name] = {
      address: type.topic,
      title: `The intake topic of ${type.name}`,
      description: 'Producers write each event once, with acks=all. The key is the request id.',
      messages: { [name]: { $ref: `#/components/messages/${name}` } },
      bindings: { kafka: { topic: type.topic, bindingVersion: '0.5.0' } },
    };
    operations[`receive${name}`] = {
      action: 'receive',
      channel: { $ref: `#/channels/${name}` },
      summary: `Databridge Events reads each ${type.name} event and delivers it to the customers that subscribe to it.`,
      messages: [{ $ref: `#/channels/${name}/messages/${name}` }],
      bindings: { kafka: { groupId: { type: 'string', enum: ['fan-out'] }, bindingVersion: '0.5.0' } },
    };
  }
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Databridge Events: intake',
      version: 'v1',
      description:
        'The events that producers write to Kafka. What destinations receive is described by the webhooks of the OpenAPI document.',
    },
    defaultContentType: 'avro/binary',
    channels,
    operations,
    components: { messages },
  };
}

function messageOf(type: EventType): unknown {
  return {
    name: type.name,
    title: `${type.name} ${type.schemaVersion}`,
    summary: type.description,
    contentType: 'avro/binary',
    headers: {
      type: 'object',
      properties: {
        [HEADER.eventId]: {
          type: 'string',
          pattern: '^[!-~]{1,128}$',
          description:
            'The id by which receivers drop duplicates: unique for each event. Without it, the id is derived from event type, key and value.',
        },
        [HEADER.traceparent]: {
          type: 'string',
          description: 'A W3C trace context, which is passed on to the receiver.',
        },
      },
    },
    payload: {
      schemaFormat: 'application/vnd.apache.avro+json;version=1.9.0',
      schema: JSON.parse(type.schemaJson),
    },
    bindings: {
      kafka: {
        key: { type: 'string', description: 'The request id. It chooses the partition and has no other meaning.' },
        schemaIdLocation: 'payload',
        schemaIdPayloadEncoding: 'confluent',
        schemaLookupStrategy: 'TopicIdStrategy',
        bindingVersion: '0.5.0',
      },
    },
  };
}
