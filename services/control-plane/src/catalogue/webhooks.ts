/** The requests that destinations receive, described as webhooks of OpenAPI. */
import type { EventType } from '@databridge/schemas/event/event-types';
import type { JsonSchema } from '@databridge/schemas/event/json-schema';

/** The headers of each request, besides those of authentication. */
const HEADERS: readonly { name: string; required: boolean; description: string; schema: JsonSchema }[] = [
  {
    ...{ name: 'webhook-id', required: true, schema: { type: 'string', maxLength: 128 } },
    description: "The event's id, the same in every retry and replay: drop what you have handled.",
  },
  {
    ...{ name: 'webhook-timestamp', required: true, schema: { type: 'string', pattern: '^[0-9]+$' } },
    description: 'When this attempt was sent, in seconds since 1970.',
  },
  {
    ...{ name: 'webhook-signature', required: false, schema: { type: 'string' } },
    description: 'Signatures by Standard Webhooks, separated by spaces, if the subscription has `signing`.',
  },
  {
    ...{ name: 'databridge-attempt', required: true, schema: { type: 'string', pattern: '^[0-9]+$' } },
    description: '1 for the first attempt.',
  },
  {
    ...{ name: 'databridge-event-type', required: true, schema: { type: 'string' } },
    description: 'The event type.',
  },
  {
    ...{ name: 'databridge-schema-version', required: true, schema: { type: 'string' } },
    description: 'The version of the document.',
  },
  {
    ...{ name: 'traceparent', required: false, schema: { type: 'string' } },
    description: 'The W3C trace context of the producer, if it gave one.',
  },
];

const ANSWERS = {
  '2XX': 'The event is delivered. The body of the answer has no meaning.',
  '401': 'Also 403 and 407: the connection is held and probed, and no attempts of events are spent.',
  '410': 'Deliveries are disabled at once.',
  '429': 'Also 408, 409, 425: the event is retried, not before `Retry-After`.',
  '4XX': 'The event is refused and kept as a dead letter.',
  '5XX': 'The event is retried, for 24 hours and up to 185 attempts.',
} as const;

export interface WebhookDescriptions {
  readonly webhooks: Readonly<Record<string, unknown>>;
  /** The schemas that the webhooks refer to, for `components.schemas`. */
  readonly schemas: Readonly<Record<string, JsonSchema>>;
}

export function webhooksOf(eventTypes: readonly EventType[]): WebhookDescriptions {
  const webhooks: Record<string, unknown> = {};
  const schemas: Record<string, JsonSchema> = {};
  for (const type of eventTypes) {
    const prefix = pascalCase(type.name);
    const refOf = (name: string) => `#/components/schemas/${prefix}${name}`;
    const { root, definitions } = type.jsonSchemaParts(refOf);
    schemas[`${prefix}Event`] = root;
    for (const [name, schema] of definitions) schemas[`${prefix}${name}`] = schema;
    webhooks[type.name] = {
      post: {
        tags: ['webhooks'],
        operationId: `webhook${prefix}`,
        summary: `A ${type.name} event, sent to the destination of each customer that receives it`,
        description:
          'Destinations over HTTP receive it so, unless the subscription asks for CloudEvents or for PUT. See docs/receive.md.',
        // The receiver decides how the request is authenticated.
        security: [],
        parameters: HEADERS.map((header) => ({ in: 'header', ...header })),
        requestBody: {
          required: true,
          content: { 'application/json': { schema: { $ref: refOf('Event') }, example: JSON.parse(type.sample()) } },
        },
        responses: Object.fromEntries(
          Object.entries(ANSWERS).map(([status, description]) => [status, { description }]),
        ),
      },
    };
  }
  return { webhooks, schemas };
}

/** `root-cause` as `RootCause`. */
export function pascalCase(name: string): string {
  return name.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}
