import { createHash } from 'node:crypto';
import { DatabridgeError } from '@databridge/kernel/errors';
import { effectiveState } from '@databridge/schemas/records/status';
import { parseSubscription, type Subscription } from '@databridge/schemas/subscription/subscription';
import type { FastifySchemaCompiler } from 'fastify';
import { validatorCompiler } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ControlPlaneContext } from '../../context.ts';
import { applySubscriptions } from '../../subscriptions/apply.ts';
import { changeState, type StateAction } from '../../subscriptions/change-state.ts';
import { planDeletion } from '../../subscriptions/delete-customer.ts';
import { eventTypeIssues } from '../../subscriptions/event-types.ts';
import type { FileSubscription } from '../../subscriptions/kept-settings.ts';
import { warningsOf } from '../../subscriptions/warnings.ts';
import { maySee } from '../auth/access.ts';
import type { Api, ApiContext } from '../context.ts';
import {
  customerParams,
  deletion,
  listedSubscription,
  masked,
  maskedPlaces,
  page,
  savedAnswer,
  stateChange,
  subscriptionAnswer,
  subscriptionBody,
} from '../openapi/models.ts';
import { accepted } from '../operate.ts';
import { InvalidBody, pointed, problems } from '../problem.ts';

const tags = ['subscriptions'];

/** Changes with every change, secrets included: it is made of what Kafka holds. */
export function etagOf(sealed: Subscription): string {
  return `"${createHash('sha256').update(JSON.stringify(sealed)).digest('base64url').slice(0, 22)}"`;
}

export function subscriptionRoutes(api: Api, { operations, change, operate }: ApiContext): void {
  api.get(
    '/v1/subscriptions',
    {
      config: { access: 'see' },
      schema: {
        tags,
        summary: 'All subscriptions that the caller may see, by customer',
        querystring: page,
        response: { 200: z.object({ items: z.array(listedSubscription), next: z.string().optional() }), ...problems },
      },
    },
    async ({ query: { limit, cursor }, caller }) => {
      const after = cursor === undefined ? '' : Buffer.from(cursor, 'base64url').toString('utf8');
      const visible = [...(await operations.subscriptions()).values()]
        .filter(({ customer }) => customer > after && maySee(caller, customer))
        .sort((a, b) => (a.customer < b.customer ? -1 : 1));
      const items = visible.slice(0, limit);
      const last = items.at(-1);
      const hasMore = visible.length > items.length && last !== undefined;
      const statuses = await operations.workerStatuses();
      const listed = items.map((one) => ({
        ...masked(one),
        effectiveState: effectiveState(one, statuses.get(one.customer)),
      }));
      return { items: listed, ...(hasMore && { next: Buffer.from(last.customer).toString('base64url') }) };
    },
  );

  api.get(
    '/v1/subscriptions/:customer',
    {
      config: { access: 'see' },
      schema: {
        tags,
        summary: 'One subscription; its ETag is what a later PUT is checked against',
        params: customerParams,
        response: { 200: subscriptionAnswer, ...problems },
      },
    },
    async ({ params }, reply) => {
      const found = await storedBy(operations, params.customer);
      reply.header('etag', etagOf(found));
      return masked(found);
    },
  );

  api.put(
    '/v1/subscriptions/:customer',
    {
      config: { access: 'act' },
      schema: {
        tags,
        summary: 'Creates a subscription (If-None-Match: *) or replaces it (If-Match: its ETag), secrets included',
        params: customerParams,
        headers: z.looseObject({ 'if-match': z.string().optional(), 'if-none-match': z.literal('*').optional() }),
        body: subscriptionBody,
        response: { 200: savedAnswer, 201: savedAnswer, ...problems },
      },
      validatorCompiler: bodyByParseSubscription,
    },
    async (request, reply) => {
      const { customer } = request.params;
      const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = request.headers;
      const given = parsedBody(customer, request.body);
      const strange = eventTypeIssues(given.subscription, operations.eventTypes);
      if (strange.length > 0) throw new InvalidBody(strange);
      const warnings = (await warningsOf([given.subscription], operations.egress)).map(pointed);
      return await change(request, customer, async (context) => {
        const before = (await context.subscriptions()).get(customer);
        refuseUnlessMeant(before, ifMatch, ifNoneMatch);
        await applySubscriptions(context, [given]);
        const after = await storedBy(context, customer);
        reply.header('etag', etagOf(after)).code(before === undefined ? 201 : 200);
        return { ...masked(after), warnings };
      });
    },
  );

  api.delete(
    '/v1/subscriptions/:customer',
    {
      config: { access: 'act' },
      schema: {
        tags,
        summary: 'Deletes a customer (If-Match: its ETag); says what becomes of what waits, if something does',
        params: customerParams,
        headers: z.looseObject({ 'if-match': z.string().optional() }),
        querystring: z.object({
          waiting: z
            .enum(['discard', 'keep'])
            .optional()
            .describe('discard: its topics go; keep: they stay, and creating it again goes on where it was'),
          dryRun: z.enum(['true', 'false']).default('false').describe('only count what waits'),
        }),
        response: { 200: deletion, ...accepted, ...problems },
      },
    },
    async (request, reply) => {
      const { customer } = request.params;
      const { waiting, dryRun } = request.query;
      refuseUnlessMeant(await storedBy(operations, customer), request.headers['if-match']);
      if (dryRun === 'true') {
        const topics = waiting === 'keep' ? ('kept' as const) : ('removed' as const);
        return { customer, waiting: { ...(await planDeletion(operations, customer)) }, topics };
      }
      const input = { ...(waiting !== undefined && { waiting }) };
      return await operate(request, reply, { kind: 'delete', customer, input });
    },
  );

  for (const action of ['pause', 'resume', 'enable', 'disable'] as const satisfies StateAction[]) {
    api.post(
      `/v1/subscriptions/:customer/${action}`,
      {
        config: { access: 'act' },
        schema: {
          tags,
          summary: `${action[0]?.toUpperCase()}${action.slice(1)}s the customer; nothing happens if it is so already`,
          params: customerParams,
          response: { 200: stateChange, ...problems },
        },
      },
      async (request) =>
        await change(request, request.params.customer, (context) =>
          changeState(context, request.params.customer, action),
        ),
    );
  }
}

/** Of the same schema as the body's, but in words that name every mistake by its place: {@link parsedBody}. */
export const bodyByParseSubscription: FastifySchemaCompiler<unknown> = (part) =>
  part.httpPart === 'body' ? (value: unknown) => ({ value }) : validatorCompiler(part as never);

/** @throws {DatabridgeError} DB_NOT_FOUND */
export async function storedBy(
  { subscriptions }: Pick<ControlPlaneContext, 'subscriptions'>,
  customer: string,
): Promise<Subscription> {
  const found = (await subscriptions()).get(customer);
  if (found === undefined) throw new DatabridgeError('DB_NOT_FOUND', `There is no customer "${customer}"`);
  return found;
}

/** @throws {InvalidBody} with every mistake */
export function parsedBody(customer: string, body: unknown): FileSubscription {
  if (typeof body !== 'object' || body === null) throw new InvalidBody([{ path: [], message: 'must be an object' }]);
  const strange = ['customer', 'enableEpoch'].filter((name) => name in body);
  if (strange.length > 0) {
    throw new InvalidBody(strange.map((name) => ({ path: [name], message: 'does not belong into the body' })));
  }
  const parsed = parseSubscription({ ...body, customer });
  if (!parsed.ok) throw new InvalidBody(parsed.issues);
  const places = maskedPlaces(parsed.subscription);
  if (places.length > 0) {
    const message = 'is the mask that answers show: send the secret itself';
    throw new InvalidBody(places.map((place) => ({ path: place.split('.'), message })));
  }
  return { subscription: parsed.subscription, sets: 'state' in body ? ['state'] : [] };
}

/** Nobody overwrites what they have not seen. */
function refuseUnlessMeant(before: Subscription | undefined, ifMatch?: string, ifNoneMatch?: string): void {
  if (before === undefined && ifMatch === undefined) return;
  if (before !== undefined && ifMatch === etagOf(before) && ifNoneMatch === undefined) return;
  if (before !== undefined && ifMatch === undefined && ifNoneMatch === undefined) {
    throw new DatabridgeError('DB_PRECONDITION_REQUIRED', 'It exists: send its ETag as If-Match to replace it');
  }
  throw new DatabridgeError(
    'DB_PRECONDITION_FAILED',
    'ETag mismatch: the subscription was modified; read it again and retry',
  );
}
