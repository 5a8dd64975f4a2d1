/**
 * The listener of the set-up page, apart from the API: its own port and host name. It has static files, which are the same
 * for every link, and passes on what the page posts.
 *
 *     GET /s/<id>          the page, whatever the id is: who only looks spends nothing
 *     POST /s/<id>/open    with a code: a ticket     ┐ a refusal takes as long and says the same,
 *     POST /s/<id>/answer  with a ticket: a receipt  ┘ whatever its reason
 */

import { readdirSync, readFileSync } from 'node:fs';
import { DatabridgeError } from '@databridge/kernel/errors';
import type { Logger } from '@databridge/kernel/log';
import type { SealingDesk } from '@databridge/kernel/secrets/sealing-desk';
import { systemClock } from '@databridge/kernel/time/clock';
import { pause } from '@databridge/kernel/time/pause';
import { readInvitationCode } from '@databridge/schemas/records/invitation-code';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { GuessLimits } from './guess-limits.ts';
import { noSuchInvitation } from './open-invitation.ts';
import { Tickets } from './tickets.ts';

/** Sends a request to the API, on behalf of the listener. */
export type AskApi = (route: string, body: object) => Promise<{ readonly status: number; readonly body: unknown }>;

export interface ListenerParts {
  readonly ask: AskApi;
  readonly desk: Pick<SealingDesk, 'derivedKeys'>;
  /** The directory of the built page. */
  readonly files: URL;
  readonly trustedProxies?: readonly string[] | undefined;
  readonly log: Logger;
}

/** The limit of a body: seals are larger than secrets, and a private key and a certificate chain fit many times. */
const MAX_BODY_BYTES = 524_288;
/** Every refusal is sent at a whole multiple of this after the request, so that the time does not reveal its reason. */
const REFUSED_AFTER_MS = 1_000;
const MAX_TICKET_CHARS = 4_096;
const MAX_LINK_CHARS = 64;
const MAX_CODE_CHARS = 64;

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-robots-tag': 'noindex, nofollow, noarchive',
};

const SCRIPT = 'text/javascript; charset=utf-8';
/** The script for set-ups, which the page loads after a code for one was accepted. */
const OF_SETUP = /^setup-[\w-]+\.js$/;

/** Not yet listening. @throws {DatabridgeError} DB_CONFIG_INVALID if the page was not built */
export function createListener({ ask, desk, files, trustedProxies, log }: ListenerParts): FastifyInstance {
  const tickets = new Tickets(desk);
  const limits = new GuessLimits(log);
  const server = fastify({
    bodyLimit: MAX_BODY_BYTES,
    trustProxy: trustedProxies === undefined ? false : [...trustedProxies],
  });
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS);
    if (request.method === 'POST') refuseForeign(request);
  });
  server.setErrorHandler(async (error, _request, reply) => await answerError(error, reply, log));
  server.setNotFoundHandler(async (_request, reply) => await answerError(nothing(), reply, log));

  const page = readBuilt(files, 'page.html');
  server.get('/s/:id', async (_request, reply) => await reply.type('text/html; charset=utf-8').send(page));
  for (const [file, type] of [
    ['page.js', SCRIPT],
    ['page.css', 'text/css; charset=utf-8'],
    [setupScriptIn(files), SCRIPT],
  ] as const) {
    const content = readBuilt(files, file);
    server.get(`/${file}`, async (_request, reply) => await reply.type(type).send(content));
  }

  server.post('/s/:id/open', async (request, reply) => {
    const startedAtMs = systemClock.monotonicMs();
    const { id } = request.params as { id: string };
    const { code } = (request.body ?? {}) as { code?: unknown };
    const typed = typeof code === 'string' && code.length <= MAX_CODE_CHARS ? readInvitationCode(code) : undefined;
    if (typed === undefined) {
      // No such code was ever issued, so it is not a guess, and does not count.
      await evenly(startedAtMs);
      throw noSuchInvitation();
    }
    limits.refuseIfSpent(request.ip);
    const answer = await ask('opens', { linkId: id.slice(0, MAX_LINK_CHARS), code: typed });
    if (answer.status === 404) {
      limits.count(request.ip);
      await evenly(startedAtMs);
    }
    return await passOn(answer, reply);
  });
  server.post('/s/:id/extend', async (request) => {
    const ticket = await tickets.read(ticketOf(request), systemClock.nowMs());
    return await tickets.extend(ticket, systemClock.nowMs());
  });
  for (const [action, route] of [
    ['answer', 'answers'],
    ['certificate-request', 'certificate-requests'],
    ['test', 'tests'],
  ] as const) {
    server.post(`/s/:id/${action}`, async (request, reply) => {
      const ticket = ticketOf(request);
      await tickets.read(ticket, systemClock.nowMs());
      return await passOn(await ask(route, { ...(request.body as object), ticket }), reply);
    });
  }
  return server;
}

function readBuilt(files: URL, name: string): Buffer {
  try {
    return readFileSync(new URL(name, files));
  } catch {
    throw notBuilt(new URL(name, files));
  }
}

function setupScriptIn(files: URL): string {
  const names = readdirSync(files).filter((name) => OF_SETUP.test(name));
  if (names[0] === undefined) throw notBuilt(new URL('setup-….js', files));
  return names[0];
}

const notBuilt = ({ pathname }: URL) =>
  new DatabridgeError(
    'DB_CONFIG_INVALID',
    `INTAKE_PORT is set, but ${decodeURI(pathname)} is not there: run "npm run build" first`,
  );

/** Other sites cannot make a browser post here: neither a form nor their scripts send JSON from our own origin. */
function refuseForeign({ headers }: FastifyRequest): void {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') throw nothing();
  if (!/^application\/json\b/.test(headers['content-type'] ?? '')) throw nothing();
}

const nothing = () => new DatabridgeError('DB_NOT_FOUND', 'There is nothing here');

function ticketOf({ headers }: FastifyRequest): string {
  return /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1]?.slice(0, MAX_TICKET_CHARS) ?? '';
}

async function evenly(startedAtMs: number): Promise<void> {
  const tookMs = systemClock.monotonicMs() - startedAtMs;
  await pause(Math.ceil(tookMs / REFUSED_AFTER_MS) * REFUSED_AFTER_MS - tookMs);
}

async function passOn({ status, body }: Awaited<ReturnType<AskApi>>, reply: FastifyReply): Promise<FastifyReply> {
  if (status < 400) return await reply.code(status).send(body);
  const { detail } = body as { detail?: unknown };
  return await reply.code(status).send({ detail: status >= 500 ? UNAVAILABLE : String(detail) });
}

const UNAVAILABLE =
  'This is not available at the moment. What you sent may have arrived: send the same again, and you get the same receipt.';

async function answerError(error: unknown, reply: FastifyReply, log: Logger): Promise<FastifyReply> {
  if (error instanceof DatabridgeError) return await reply.code(error.httpStatus).send({ detail: error.message });
  const { statusCode = 500 } = error as { statusCode?: number };
  if (statusCode >= 500) log.error({ event: 'set_up_page_failed', err: error }, 'set-up page request failed');
  return await reply.code(statusCode).send({ detail: statusCode >= 500 ? UNAVAILABLE : 'The request is malformed' });
}
