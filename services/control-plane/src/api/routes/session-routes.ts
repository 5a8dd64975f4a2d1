/** The caller's identity, and the sessions by which the portal identifies callers. */

import { DatabridgeError } from '@databridge/kernel/errors';
import { systemClock } from '@databridge/kernel/time/clock';
import { ROLES, ROLES_BY_ACCESS } from '@databridge/schemas/rights/route-rights';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { NO_SESSION_COOKIE, sessionCookie } from '../../portal/session-cookie.ts';
import type { ListedSession, Sessions } from '../../portal/sessions.ts';
import { mayReadPayloads, personOf, SESSIONS_ROUTE } from '../auth/access.ts';
import type { Api } from '../context.ts';
import { problems } from '../problem.ts';

const tags = ['sessions'];

const meAnswer = z
  .object({
    name: z.string(),
    role: z.enum(ROLES),
    customer: z.string().optional().describe('of the role customer'),
    may: z
      .object({
        oversee: z.boolean().describe('see what concerns all customers together'),
        act: z.boolean().describe('change what belongs to a customer'),
        operate: z.boolean().describe('change what belongs to operators'),
        payload: z.boolean().describe('read the content of events'),
      })
      .describe('by the table of rights; the API decides'),
    session: z
      .object({ id: z.string(), expiresAtMs: z.number() })
      .optional()
      .describe('absent: the caller is known by a token'),
  })
  .meta({ id: 'Me' });

const sessionAnswer = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(ROLES),
  customer: z.string().optional(),
  by: z.enum(['token', 'oidc']),
  createdAtMs: z.number(),
  expiresAtMs: z.number(),
  isCurrent: z.boolean().describe('the one that this request came by'),
});

const begunAnswer = z.object({ id: z.string(), expiresAtMs: z.number() });

export function sessionRoutes(api: Api, sessions: Sessions): void {
  api.get(
    '/v1/me',
    { schema: { tags, summary: 'Who calls, and what that role may', response: { 200: meAnswer, ...problems } } },
    async (request) => {
      const caller = personOf(request);
      const is = (access: 'oversee' | 'act' | 'operate') => ROLES_BY_ACCESS[access].includes(caller.role);
      return {
        ...{ name: caller.name, role: caller.role },
        ...(caller.role === 'customer' && { customer: caller.customer }),
        may: {
          oversee: is('oversee'),
          act: is('act'),
          operate: is('operate'),
          payload: mayReadPayloads(caller),
        },
        ...(request.session && { session: { id: request.session.id, expiresAtMs: request.session.expiresAtMs } }),
      };
    },
  );

  api.post(
    SESSIONS_ROUTE,
    {
      schema: {
        tags,
        summary: 'Exchanges a token, or a sign-in link, for the cookie of a session of the portal',
        response: { 200: begunAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const caller = personOf(request);
      const { secret, id, expiresAtMs } = await sessions.begin(caller, waySignedIn(request), systemClock.nowMs());
      reply.header('set-cookie', sessionCookie(secret, expiresAtMs)).header('cache-control', 'no-store');
      return { id, expiresAtMs };
    },
  );

  api.post(
    '/v1/sessions/links',
    {
      schema: {
        tags,
        summary: 'A sign-in link of the caller, good for one session within ten minutes',
        response: {
          200: z.object({ path: z.string().describe('below the address of the portal'), expiresAtMs: z.number() }),
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const { secret, expiresAtMs } = await sessions.link(personOf(request), waySignedIn(request), systemClock.nowMs());
      reply.header('cache-control', 'no-store');
      // After the #, so that no server on the way, and no log of one, sees it.
      return { path: `/portal/sign-in#${secret}`, expiresAtMs };
    },
  );

  api.get(
    '/v1/sessions',
    {
      schema: {
        tags,
        summary: 'Sessions of the portal that are not over, the newest first',
        response: { 200: z.object({ items: z.array(sessionAnswer) }), ...problems },
      },
    },
    async (request) => {
      const visible = (await sessions.list(systemClock.nowMs())).filter((one) => isOwn(request, one));
      return {
        items: visible.map(({ id, caller, by, createdAtMs, expiresAtMs }) => ({
          ...{ id, name: caller.name, role: caller.role, by, createdAtMs, expiresAtMs },
          ...(caller.customer !== undefined && { customer: caller.customer }),
          isCurrent: id === request.session?.id,
        })),
      };
    },
  );

  api.delete(
    '/v1/sessions/:id',
    {
      schema: {
        tags,
        summary: 'Ends a session of the portal',
        params: z.object({ id: z.string().min(1).max(64) }),
        response: { 204: z.null().describe('It has ended'), ...problems },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const found = (await sessions.list(systemClock.nowMs())).find((one) => one.id === id && isOwn(request, one));
      if (found === undefined) throw new DatabridgeError('DB_NOT_FOUND', `There is no session "${id}"`);
      await sessions.end(id);
      if (id === request.session?.id) reply.header('set-cookie', NO_SESSION_COOKIE);
      return reply.code(204).send(null);
    },
  );
}

/** A session that begins with another counts as it does: by a token that must still be configured, or by the provider. */
const waySignedIn = ({ session, caller }: Pick<FastifyRequest, 'session' | 'caller'>) =>
  session?.by ?? (caller?.id.startsWith('oidc:') ? 'oidc' : 'token');

function isOwn(request: FastifyRequest, { caller }: ListedSession): boolean {
  const { id, role } = personOf(request);
  return role === 'operator' || caller.id === id;
}
