import { z } from 'zod';
import { readCustomer } from '../../../views/customer.ts';
import { maySee } from '../../auth/access.ts';
import type { Api, ApiContext } from '../../context.ts';
import { LiveStreams } from '../../limits/live-streams.ts';
import { ascending, customerParams, idPrefix, listedAttempt, page, rangeQuery } from '../../openapi/models.ts';
import { problems } from '../../problem.ts';
import { listedTo } from '../../shown-attempt.ts';

const tags = ['attempts'];
const params = customerParams;

const outcome = z.enum(['delivered', 'retry', 'refused', 'deauthorized', 'blocked', 'gone', 'internal', 'skipped']);

const live = {
  200: {
    description:
      'The stream lasts until one side closes it; the server does so after an hour, and the client reconnects',
    content: { 'text/event-stream': { schema: z.unknown() } },
  },
  ...problems,
};

const liveHeaders = z.looseObject({
  'last-event-id': z
    .string()
    .max(64)
    .regex(/^\d+\/\d+\/\d+$/, 'must be the id of an attempt')
    .optional()
    .describe(
      'the last attempt that was received: those after it come first; an event "gap" tells that some cannot be sent again',
    ),
});

export function attemptRoutes(api: Api, { operations, attempts, streamLimits }: ApiContext): void {
  const streams = new LiveStreams(attempts, streamLimits);
  api.addHook('preClose', async () => streams.close());

  api.get(
    '/v1/subscriptions/:customer/attempts',
    {
      schema: {
        tags,
        summary: 'Attempts of the last days, the newest first',
        params,
        querystring: z
          .object({
            ...page.shape,
            ...rangeQuery.shape,
            eventId: z.string().max(128).optional(),
            eventIdPrefix: idPrefix.describe('only those whose event id begins with this text'),
            outcome: outcome.optional(),
          })
          .refine(...ascending),
        response: { 200: z.object({ items: z.array(listedAttempt), next: z.string().optional() }), ...problems },
      },
    },
    async ({ params: { customer }, query, caller }) => {
      const { limit, cursor, from, to, eventId, eventIdPrefix, outcome: wanted } = query;
      await readCustomer(operations, customer);
      const found = attempts.find({
        customer,
        limit: limit + 1,
        ...(cursor !== undefined && { before: cursor }),
        ...(from !== undefined && { fromMs: Date.parse(from) }),
        ...(to !== undefined && { toMs: Date.parse(to) }),
        ...(eventId !== undefined && { eventId }),
        ...(eventIdPrefix !== undefined && { eventIdPrefix }),
        ...(wanted !== undefined && { outcome: wanted }),
      });
      const items = found.slice(0, limit);
      const last = items.at(-1);
      const next = found.length > limit && last !== undefined ? { next: last.place } : {};
      return { items: items.map((seen) => listedTo(caller, seen)), ...next };
    },
  );

  api.get(
    '/v1/subscriptions/:customer/attempts/live',
    {
      schema: {
        tags,
        summary: 'Attempts as they are made: server-sent events named "attempt"',
        params,
        headers: liveHeaders,
        response: live,
      },
    },
    async ({ params: { customer }, headers: { 'last-event-id': after }, raw, caller }, reply) => {
      await readCustomer(operations, customer);
      const missed = after === undefined ? undefined : { after, customer };
      return streams.open(caller, raw, reply, { isWanted: (seen) => seen.customer === customer, missed });
    },
  );

  api.get(
    '/v1/attempts/live',
    {
      schema: {
        tags,
        summary: 'Attempts for all customers that the caller may see, as they are made',
        headers: liveHeaders,
        response: live,
      },
    },
    async ({ headers: { 'last-event-id': after }, raw, caller }, reply) => {
      // A customer sees only its own attempts, so it can have missed only those.
      const own = caller?.role === 'customer' ? { customer: caller.customer } : {};
      const missed = after === undefined ? undefined : { after, ...own };
      return streams.open(caller, raw, reply, { isWanted: (seen) => maySee(caller, seen.customer), missed });
    },
  );
}
