import { DatabridgeError } from '@databridge/kernel/errors';
import { effectiveState } from '@databridge/schemas/records/status';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { ControlPlaneContext } from '../../../context.ts';
import { applySubscriptions } from '../../../subscriptions/apply.ts';
import { changeState, type StateAction } from '../../../subscriptions/change-state.ts';
import { refusals } from '../../../subscriptions/checks/refusals.ts';
import { settingWarnings, warningsOf } from '../../../subscriptions/checks/warnings.ts';
import { planDeletion } from '../../../subscriptions/delete-customer.ts';
import { maySee, roleOf } from '../../auth/access.ts';
import type { Api, ApiContext } from '../../context.ts';
import {
  customerParams,
  deletion,
  listedSubscription,
  masked,
  page,
  savedAnswer,
  sealedSecret,
  stateChange,
  subscriptionAnswer,
  subscriptionBody,
  written,
} from '../../openapi/models.ts';
import { accepted } from '../../operate.ts';
import { pointed, problems } from '../../problem.ts';
import { etagOf, refuseEtagMismatch } from './etag.ts';
import { bodyByParseSubscription, mergePatch, parsedBody } from './subscription-body.ts';

const tags = ['subscriptions'];

const patchBody = z
  .looseObject({
    sealed: z
      .record(z.string().min(1).max(400), sealedSecret)
      .optional()
      .describe(
        'new secrets by place, such as authentication.key, sealed by a key of GET /v1/sealing-keys; the patch has "[secret]" there',
      ),
  })
  .describe('RFC 7396: null removes a field, maps are merged');

export function subscriptionRoutes(api: Api, { operations, change, operate }: ApiContext): void {
  api.get(
    '/v1/subscriptions',
    {
      schema: {
        tags,
        summary: 'All subscriptions that the caller may see, by customer',
        querystring: page.extend({
          awaitsApproval: z.literal('true').optional().describe('only those that an operator has to approve'),
        }),
        response: { 200: z.object({ items: z.array(listedSubscription), next: z.string().optional() }), ...problems },
      },
    },
    async ({ query: { limit, cursor, awaitsApproval: isWanted }, caller }) => {
      const after = cursor === undefined ? '' : Buffer.from(cursor, 'base64url').toString('utf8');
      const visible = [...(await operations.subscriptions()).values()]
        .filter(({ customer }) => customer > after && maySee(caller, customer))
        .filter(({ awaitsApproval }) => isWanted === undefined || awaitsApproval === true)
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
      schema: {
        tags,
        summary: 'One subscription; its ETag is what a later PUT or PATCH is checked against',
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
      const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = request.headers;
      const meant = (before: Subscription | undefined) => refuseEtagMismatch(before, ifMatch, ifNoneMatch);
      return await save(request, reply, meant, () => request.body);
    },
  );

  api.patch(
    '/v1/subscriptions/:customer',
    {
      schema: {
        tags,
        summary:
          'Changes some fields (JSON merge patch; If-Match: its ETag); secrets that are left out stay as they are, new ones may come sealed',
        params: customerParams,
        headers: z.looseObject({ 'if-match': z.string().optional() }),
        body: patchBody,
        response: { 200: savedAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const { customer } = request.params;
      const meant = (before: Subscription | undefined) => {
        if (before === undefined) throw new DatabridgeError('DB_NOT_FOUND', `There is no customer "${customer}"`);
        refuseEtagMismatch(before, request.headers['if-match']);
      };
      const { sealed = {}, ...patch } = request.body;
      const bodyFor = (before: Subscription | undefined) =>
        mergePatch(before === undefined ? {} : written(before), patch);
      return await save(request, reply, meant, bodyFor, new Map(Object.entries(sealed)));
    },
  );

  /**
   * @param meant throws if the caller does not intend to change the stored subscription
   * @param bodyFor the replacement of the stored subscription
   * @param sealed seals of secrets that are masked in it, by place
   */
  async function save(
    request: FastifyRequest<{ Params: { customer: string } }>,
    reply: FastifyReply,
    meant: (before: Subscription | undefined) => void,
    bodyFor: (before: Subscription | undefined) => unknown,
    sealed?: ReadonlyMap<string, string>,
  ) {
    const { customer } = request.params;
    const role = roleOf(request);
    const read = (stored: ReadonlyMap<string, Subscription>) => {
      const before = stored.get(customer);
      const refusalsOf = (subscription: Subscription) => refusals(subscription, before, operations);
      return { before, given: parsedBody(customer, bodyFor(before), role, before, refusalsOf) };
    };
    // Names are resolved before the write is queued, so that no other change waits for it.
    const { given: asked } = read(await operations.subscriptions());
    const warnings = [
      ...settingWarnings(asked.subscription),
      ...(await warningsOf([asked.subscription], operations.egress)),
    ].map(pointed);
    return await change(request, customer, async (context) => {
      const stored = await context.subscriptions();
      meant(stored.get(customer));
      const { before, given } = read(stored);
      const asRead = { ...context, subscriptions: async () => stored };
      const { customers } = await applySubscriptions(asRead, [given], role, { sealed });
      const after = customers[0]?.stored ?? (await storedBy(context, customer));
      reply.header('etag', etagOf(after)).code(before === undefined ? 201 : 200);
      return { ...masked(after), warnings };
    });
  }

  api.delete(
    '/v1/subscriptions/:customer',
    {
      schema: {
        tags,
        summary: 'Deletes a customer (If-Match: its ETag); states what happens to waiting events, if there are any',
        params: customerParams,
        headers: z.looseObject({ 'if-match': z.string().optional() }),
        querystring: z.object({
          waiting: z
            .enum(['discard', 'keep'])
            .optional()
            .describe(
              'discard: its topics are deleted; keep: they stay, and a customer created again under this name continues where it was',
            ),
          dryRun: z.enum(['true', 'false']).default('false').describe('only count the waiting events'),
        }),
        response: { 200: deletion, ...accepted, ...problems },
      },
    },
    async (request, reply) => {
      const { customer } = request.params;
      const { waiting, dryRun } = request.query;
      refuseEtagMismatch(await storedBy(operations, customer), request.headers['if-match']);
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
        schema: {
          tags,
          summary: `${action[0]?.toUpperCase()}${action.slice(1)}s the customer; does nothing if it is in that state already`,
          params: customerParams,
          response: { 200: stateChange, ...problems },
        },
      },
      async (request) =>
        await change(request, request.params.customer, (context) =>
          changeState(context, request.params.customer, action, roleOf(request)),
        ),
    );
  }
}

/** @throws {DatabridgeError} DB_NOT_FOUND */
export async function storedBy(
  { subscriptions }: Pick<ControlPlaneContext, 'subscriptions'>,
  customer: string,
): Promise<Subscription> {
  const found = (await subscriptions()).get(customer);
  if (found === undefined) throw new DatabridgeError('DB_NOT_FOUND', `There is no customer "${customer}"`);
  return found;
}
