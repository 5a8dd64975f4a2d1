import { hash } from 'node:crypto';
import { DatabridgeError } from '@databridge/kernel/errors';
import type { EventType } from '@databridge/schemas/event/event-types';
import { CUSTOMER_PATTERN } from '@databridge/schemas/records/topics';
import { suggestion } from '@databridge/schemas/subscription/issue-words';
import { z } from 'zod';
import { asyncApiOf } from '../../../catalogue/asyncapi.ts';
import { eventPage, PAGE_STYLE } from '../../../catalogue/event-page.ts';
import type { Api, ApiContext } from '../../context.ts';
import { problems } from '../../problem.ts';

const tags = ['catalogue'];

const summary = z
  .object({
    name: z.string(),
    schemaVersion: z.string().describe('of the document that destinations receive'),
    description: z.string(),
    sections: z
      .array(z.string())
      .describe('the parts that an event may or may not have, and that a customer may choose'),
  })
  .meta({ id: 'EventTypeSummary' });

const whole = summary
  .extend({
    jsonSchema: z.record(z.string(), z.unknown()).describe('of the document, as JSON Schema 2020-12'),
    sample: z.record(z.string(), z.unknown()).describe('a document that is made up from the schema'),
  })
  .meta({ id: 'EventTypeDescription' });

const params = z.object({
  name: z.string().regex(CUSTOMER_PATTERN, 'must be 1 to 63 of a-z, 0-9 and -').describe('such as root-cause'),
});

const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${hash('sha256', PAGE_STYLE, 'base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** The event types that are configured, for those who write receivers and producers. */
export function catalogueRoutes(api: Api, { intake }: Pick<ApiContext, 'intake'>): void {
  // Made once: these routes are public, so a request must not cost more than the bytes of its answer.
  const described = new Map(intake.eventTypes.map((type) => [type.name, descriptionOf(type)] as const));
  api.get(
    '/v1/event-types',
    {
      config: { access: 'open' },
      schema: {
        ...{ tags, summary: 'The event types that customers can subscribe to', security: [] },
        response: { 200: z.object({ eventTypes: z.array(summary) }), ...problems },
      },
    },
    () => ({ eventTypes: [...described.values()].map(({ answer }) => answer) }),
  );

  api.get(
    '/v1/event-types/:name',
    {
      config: { access: 'open' },
      schema: {
        ...{ tags, summary: 'One event type: its JSON Schema and a sample', security: [], params },
        response: { 200: whole, ...problems },
      },
    },
    ({ params: { name } }) => configured(described, name).answer,
  );

  api.get(
    '/v1/event-types/:name/page',
    { config: { access: 'open' }, schema: { hide: true, params } },
    async ({ params: { name } }, reply) => {
      reply.header('content-security-policy', PAGE_POLICY).type('text/html; charset=utf-8');
      return configured(described, name).page;
    },
  );

  // Customers do not see topics.
  api.get('/v1/asyncapi.json', { schema: { hide: true } }, () => asyncApiOf(intake.eventTypes));
}

function descriptionOf(type: EventType) {
  const { name, schemaVersion, description, sections, jsonSchema } = type;
  const sample = JSON.parse(type.sample()) as Record<string, unknown>;
  return {
    answer: { name, schemaVersion, description, sections, jsonSchema: { ...jsonSchema }, sample },
    page: eventPage(type),
  };
}

function configured<Described>(described: ReadonlyMap<string, Described>, name: string): Described {
  const found = described.get(name);
  if (found !== undefined) return found;
  const known = [...described.keys()];
  throw new DatabridgeError('DB_NOT_FOUND', `There is no event type "${name}"${suggestion(name, known)}`);
}
