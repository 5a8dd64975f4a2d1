import type { Subscription } from '@databridge/schemas/subscription/subscription';
import { z } from 'zod';
import { refusals } from '../../subscriptions/checks/refusals.ts';
import { compareSubscription } from '../../subscriptions/compare.ts';
import { roleOf } from '../auth/access.ts';
import type { Api, ApiContext } from '../context.ts';
import { customerParams, masked, subscriptionAnswer, subscriptionBody } from '../openapi/models.ts';
import { problems } from '../problem.ts';
import { etagOf } from './subscriptions/etag.ts';
import { bodyByParseSubscription, parsedBody } from './subscriptions/subscription-body.ts';

const comparison = z.object({
  change: z.enum(['created', 'updated', 'unchanged']).describe('the result that a PUT of this subscription would have'),
  secrets: z.array(z.string()).describe('places of secrets that differ from the stored ones'),
  uncertain: z
    .array(z.string())
    .describe(
      'of these, places whose secrets may be equal: the stored ones were sealed in a browser or by the command line',
    ),
  stored: subscriptionAnswer.optional().describe('the subscription that it was compared with; absent: there is none'),
  etag: z
    .string()
    .optional()
    .describe('ETag of the stored one: as If-Match, it keeps a PUT from overwriting another change'),
});

export function comparisonRoutes(api: Api, { operations }: ApiContext): void {
  api.post(
    '/v1/subscriptions/:customer/comparisons',
    {
      schema: {
        tags: ['subscriptions'],
        summary: 'Compares a subscription, secrets included, with the stored one; nothing is changed',
        params: customerParams,
        body: subscriptionBody,
        response: { 200: comparison, ...problems },
      },
      validatorCompiler: bodyByParseSubscription,
    },
    async (request) => {
      const { customer } = request.params;
      const role = roleOf(request);
      const before = (await operations.subscriptions()).get(customer);
      const refusalsOf = (subscription: Subscription) => refusals(subscription, before, operations);
      const given = parsedBody(customer, request.body, role, before, refusalsOf);
      const { change, secrets, uncertain } = await compareSubscription(operations, given, role);
      return {
        ...{ change, secrets: [...secrets], uncertain: [...uncertain] },
        ...(before !== undefined && { stored: masked(before), etag: etagOf(before) }),
      };
    },
  );
}
