/** Additions to the OpenAPI document beyond the schemas of the routes. */

import { describedEventType, eventTypeNames } from '@databridge/schemas/event/event-types';
import { ROLES_BY_ACCESS, routeRight } from '@databridge/schemas/rights/route-rights';
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { OpenAPIV3_1 } from 'openapi-types';
import { webhooksOf } from '../../catalogue/webhooks.ts';

/** The names of the answers in `problems`. */
const SHARED_RESPONSES = { '4XX': 'Refused', '5XX': 'Failed' };

type Transform = typeof jsonSchemaTransform;
type TransformObject = typeof jsonSchemaTransformObject;

/** Describes every route that is added from now on. */
export async function describeApi(api: FastifyInstance): Promise<void> {
  await api.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Databridge Events', version: 'v1', description: 'Subscriptions, their state, and replay.' },
      servers: [{ url: '/', description: 'The server of this document' }],
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      security: [{ bearer: [] }],
    },
    transform: named,
    transformObject: (described) => withSharedParts(withWebhooks(withoutUnused(described))),
  });
}

/**
 * The operation id, by which generated clients name their methods: `getSubscriptionsByCustomerSecrets`. It never
 * changes.
 */
const named: Transform = (described) => {
  const transformed = jsonSchemaTransform(described);
  const method = String([described.route.method].flat()[0]);
  const operationId = operationIdOf(method, described.url);
  return { ...transformed, schema: { ...transformed.schema, operationId, ...rightsOf(method, described.url) } };
};

/** The roles that may call the route, from the table that the API enforces. */
function rightsOf(method: string, url: string): Record<string, unknown> {
  const right = routeRight(method, url);
  if (right === undefined) return {};
  return {
    'x-access': right.access,
    'x-roles': ROLES_BY_ACCESS[right.access],
    ...(right.rule && { description: right.rule }),
  };
}

function operationIdOf(method: string, url: string): string {
  const steps = url.split('/').slice(2);
  const words = steps.map((step) => (step.startsWith(':') ? `-by-${step.slice(1)}` : step)).join('-');
  return method.toLowerCase() + `-${words}`.replaceAll(/-+(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** Each schema with an id exists twice, for input and for output; no route uses both. */
const withoutUnused: TransformObject = (described) => {
  const document = jsonSchemaTransformObject(described) as { components?: { schemas?: Record<string, unknown> } };
  let schemas = document.components?.schemas ?? {};
  for (;;) {
    const text = JSON.stringify({ ...document, components: { schemas } });
    const used = Object.entries(schemas).filter(([name]) => text.includes(`"#/components/schemas/${name}"`));
    // A schema that only an unused one refers to is unused, too.
    if (used.length === Object.keys(schemas).length) break;
    schemas = Object.fromEntries(used);
  }
  return { ...document, components: { ...document.components, schemas } } as ReturnType<TransformObject>;
};

/** The answers that every route may give, and the customer in a path, are stated once. */
function withSharedParts(document: ReturnType<TransformObject>): ReturnType<TransformObject> {
  const { paths, components } = document as OpenAPIV3_1.Document;
  const responses: Record<string, OpenAPIV3_1.ResponseObject> = {};
  const parameters: Record<string, OpenAPIV3_1.ParameterObject> = {};
  const operations = Object.values(paths ?? {}).flatMap((item) => Object.values(item ?? {}));
  for (const operation of operations as OpenAPIV3_1.OperationObject[]) {
    const own = operation.responses;
    for (const [status, name] of Object.entries(SHARED_RESPONSES)) {
      if (own?.[status] === undefined) continue;
      responses[name] = own[status] as OpenAPIV3_1.ResponseObject;
      own[status] = { $ref: `#/components/responses/${name}` };
    }
    if (operation.parameters === undefined) continue;
    operation.parameters = operation.parameters.map((one) => {
      if ('$ref' in one || one.in !== 'path' || one.name !== 'customer') return one;
      parameters['Customer'] = one;
      return { $ref: '#/components/parameters/Customer' };
    });
  }
  return { ...document, components: { ...components, parameters, responses } } as ReturnType<TransformObject>;
}

/** All event types that have a schema, whether or not they are configured. */
function withWebhooks(document: ReturnType<TransformObject>): ReturnType<TransformObject> {
  const { webhooks, schemas } = webhooksOf(eventTypeNames().flatMap((name) => describedEventType(name) ?? []));
  const { components } = document as { components?: { schemas?: Record<string, unknown> } };
  return {
    ...document,
    webhooks,
    components: { ...components, schemas: { ...components?.schemas, ...schemas } },
  } as ReturnType<TransformObject>;
}
