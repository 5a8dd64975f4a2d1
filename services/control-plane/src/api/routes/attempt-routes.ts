import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import type { Caller } from '@databridge/kernel/secrets/tokens';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { SeenAttempt } from '../../views/attempt-view.ts';
import { readCustomer } from '../../views/customer.ts';
import { maySee } from '../auth/access.ts';
import type { Api, ApiContext } from '../context.ts';
import { ascending, customerParams, page, rangeQuery } from '../openapi/models.ts';
import { problems } from '../problem.ts';
import { shownTo } from '../shown-attempt.ts';

const tags = ['attempts'];
const params = customerParams;

const outcome = z.enum(['delivered', 'retry', 'refused', 'deauthorized', 'blocked', 'gone', 'internal', 'skipped']);

const attemptAnswer = z
  .looseObject({
    eventId: z.string(),
    attempt: z.int(),
    at: z.number(),
    durationMs: z.number(),
    outcome: z.string(),
    lane: z.string(),
  })
  .meta({ id: 'Attempt' });

const live = {
  200: { description: 'Until one side closes', content: { 'text/event-stream': { schema: z.unknown() } } },
  ...problems,
};

/** A reader that is slower than that is cut off: it starts again from the list. */
const MAX_BUFFERED_BYTES = 1_048_576;
/** Proxies close what says nothing for a minute. */
const HEARTBEAT_MS = 15_000;

export function attemptRoutes(api: Api, { operations, attempts }: ApiContext): void {
  const openStreams = new Set<PassThrough>();
  // What is open must not keep the control plane from stopping: those who listen come again.
  api.addHook('preClose', async () => {
    for (const stream of openStreams) stream.destroy();
  });

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
            outcome: outcome.optional(),
          })
          .refine(...ascending),
        response: { 200: z.object({ items: z.array(attemptAnswer), next: z.string().optional() }), ...problems },
      },
    },
    async ({ params: { customer }, query: { limit, cursor, from, to, eventId, outcome: wanted }, caller }) => {
      await readCustomer(operations, customer);
      const found = attempts.find({
        customer,
        limit: limit + 1,
        ...(cursor !== undefined && { beforeId: Number(cursor) || 0 }),
        ...(from !== undefined && { fromMs: Date.parse(from) }),
        ...(to !== undefined && { toMs: Date.parse(to) }),
        ...(eventId !== undefined && { eventId }),
        ...(wanted !== undefined && { outcome: wanted }),
      });
      const items = found.slice(0, limit);
      const last = items.at(-1);
      const next = found.length > limit && last !== undefined ? { next: String(last.id) } : {};
      return { items: items.map(({ attempt }) => shownTo(caller, attempt)), ...next };
    },
  );

  api.get(
    '/v1/subscriptions/:customer/attempts/live',
    {
      schema: {
        tags,
        summary: 'Attempts as they are made: server-sent events named "attempt"',
        params,
        response: live,
      },
    },
    async ({ params: { customer }, raw, caller }, reply) => {
      await readCustomer(operations, customer);
      return sendLive(raw, caller, reply, (seen) => seen.customer === customer);
    },
  );

  api.get(
    '/v1/attempts/live',
    {
      schema: {
        tags,
        summary: 'Attempts for all customers that the caller may see, as they are made',
        response: live,
      },
    },
    async ({ raw, caller }, reply) => sendLive(raw, caller, reply, (seen) => maySee(caller, seen.customer)),
  );

  function sendLive(
    raw: IncomingMessage,
    caller: Caller | undefined,
    reply: FastifyReply,
    isWanted: (seen: SeenAttempt) => boolean,
  ): FastifyReply {
    const stream = new PassThrough();
    const write = (text: string) => {
      if (stream.writableLength > MAX_BUFFERED_BYTES) stream.destroy();
      else stream.write(text);
    };
    write(': open\n\n');
    const end = attempts.listen((seen) => {
      if (isWanted(seen)) write(sseOf(seen, caller));
    });
    const heartbeat = setInterval(() => write(': still here\n\n'), HEARTBEAT_MS);
    const close = () => {
      end();
      clearInterval(heartbeat);
      openStreams.delete(stream);
      stream.destroy();
    };
    raw.once('close', close);
    stream.once('close', close);
    openStreams.add(stream);
    return reply.header('content-type', 'text/event-stream').header('cache-control', 'no-store').send(stream);
  }
}

const sseOf = ({ id, customer, attempt }: SeenAttempt, caller: Caller | undefined) =>
  `id: ${id}\nevent: attempt\ndata: ${JSON.stringify({ customer, ...shownTo(caller, attempt) })}\n\n`;
