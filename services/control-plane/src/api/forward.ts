import { DatabridgeError } from '@databridge/kernel/errors';
import type { Logger } from '@databridge/kernel/log';
import type { Caller } from '@databridge/kernel/secrets/tokens';
import { systemClock } from '@databridge/kernel/time/clock';
import { every } from '@databridge/kernel/time/every';
import { pause } from '@databridge/kernel/time/pause';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Agent } from 'undici';
import { type AcceptedCall, type Assertions, bodyDigest, NO_BODY } from '../forwarding/assertion.ts';
import type { Owner } from '../forwarding/owner-record.ts';
import type { Writer } from '../subscriptions/writer.ts';
import { canonicalTarget } from './request-target.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on a request that another control plane sent on its caller's behalf. It is never forwarded again. */
    forwarded: AcceptedCall | undefined;
  }
}

export type ForwardingWriter = Pick<Writer, 'isOwner' | 'origin' | 'owner'>;

/** The authorization scheme of a forwarded request. */
const SCHEME = 'Databridge-Assertion';
/** Request headers that affect what a change does. The assertion states them, too. */
const HEADERS = ['if-match', 'if-none-match', 'idempotency-key', 'prefer'];
const ANSWER_HEADERS = ['etag', 'retry-after', 'www-authenticate', 'idempotency-replayed', 'location'];
const ENCRYPTED = 'application/jose';
/** The encrypted form of the largest body that the API accepts: base64url makes four bytes of three. */
const MAX_ENCRYPTED_BYTES = 1_572_864;
const MAX_ANSWER_BYTES = 16_777_216;
/** A writer that was killed is replaced after its session time-out, of 10 s by default. */
const WRITER_WITHIN_MS = 30_000;
const ASK_AGAIN_AFTER_MS = 100;
/** The longest operation waits for a minute for a customer's worker. */
const ANSWER_WITHIN_MS = 150_000;
/** Errors for which the request has not left this process. */
const NOT_REACHED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

function statedHeaders({ headers }: FastifyRequest): Record<string, string> {
  return Object.fromEntries(
    HEADERS.flatMap((name) => (typeof headers[name] === 'string' ? [[name, headers[name]]] : [])),
  );
}

/**
 * @returns the caller, if another control plane vouches for it; undefined if the request carries no assertion
 * @throws {DatabridgeError} DB_FORWARDING_REFUSED
 */
export async function acceptForwarded(
  request: FastifyRequest,
  assertions: Assertions,
  origin: string | undefined,
): Promise<Caller | undefined> {
  const [scheme, assertion = ''] = (request.headers.authorization ?? '').split(' ');
  if (scheme !== SCHEME) return undefined;
  const seen = { method: request.method, target: canonicalTarget(request), headers: statedHeaders(request) };
  request.forwarded = await assertions.accept(assertion, seen, origin ?? 'none yet');
  return request.forwarded.caller;
}

/**
 * Sends every change to the control plane that makes them, and its answer back, as if it had been asked itself. While
 * there is none, or none that can be reached, the request waits: nothing has been done then.
 *
 * Nothing of what the caller wrote decides where a request goes: the origin is that of the owner's signed record, the
 * path is made of the matched route. It goes in the caller's name by an {@link Assertions assertion}, without the
 * caller's token; a request that arrived by one is answered here or not at all, so it cannot go round in a circle.
 */
export function forwardChanges(
  api: FastifyInstance,
  writer: ForwardingWriter,
  assertions: Assertions | undefined,
  log: Logger,
): void {
  const agent = new Agent({
    headersTimeout: ANSWER_WITHIN_MS,
    bodyTimeout: ANSWER_WITHIN_MS,
    maxResponseSize: MAX_ANSWER_BYTES,
  });
  api.addHook('onClose', () => agent.close());
  takeEncryptedBodies(api, assertions);

  api.addHook('preValidation', async (request, reply) => {
    refuseOtherBody(request);
    const { access } = request.routeOptions.config;
    // Reads are answered here, whatever their method; but the writer makes the audit record of a payload that was read.
    const isChange = request.method !== 'GET' && (access === 'act' || access === 'operate' || access === 'intake');
    if (!isChange && access !== 'payload') return undefined;
    const giveUpAtMs = systemClock.monotonicMs() + WRITER_WITHIN_MS;
    while (!writer.isOwner) {
      if (request.forwarded !== undefined || assertions === undefined || systemClock.monotonicMs() > giveUpAtMs) {
        throw new DatabridgeError(
          'DB_NOT_THE_WRITER',
          'No control plane is the writer at the moment; try again in a few seconds',
        );
      }
      const owner = await writer.owner();
      const answer = owner === undefined ? undefined : await ask({ agent, assertions, log }, owner, request, writer);
      if (answer !== undefined) return await passOn(answer, reply);
      await pause(ASK_AGAIN_AFTER_MS);
    }
    return undefined;
  });
}

/** The bodies of forwarded requests are encrypted; the assertion states the digest of the body that arrives. */
function takeEncryptedBodies(api: FastifyInstance, assertions: Assertions | undefined): void {
  api.addContentTypeParser(
    ENCRYPTED,
    { parseAs: 'string', bodyLimit: MAX_ENCRYPTED_BYTES },
    async (request: FastifyRequest, body: string): Promise<unknown> => {
      if (request.forwarded?.bodyDigest !== bodyDigest(body) || assertions === undefined) {
        throw new DatabridgeError('DB_FORWARDING_REFUSED', 'The body is not the one that the assertion was made for');
      }
      return JSON.parse(await assertions.decrypt(body));
    },
  );
}

/** An assertion for a request without a body is not valid for one with a body, nor the other way round. */
function refuseOtherBody({ forwarded, body, headers }: FastifyRequest): void {
  if (forwarded === undefined) return;
  const isEncrypted = headers['content-type'] === ENCRYPTED;
  const isEmpty = body === undefined || body === null;
  if (forwarded.bodyDigest === NO_BODY ? !isEmpty : !isEncrypted || body === undefined) {
    throw new DatabridgeError('DB_FORWARDING_REFUSED', 'The body is not the one that the assertion was made for');
  }
}

interface Means {
  readonly agent: Agent;
  readonly assertions: Assertions;
  readonly log: Logger;
}

/** @returns undefined if the owner did not accept the request: it may be sent again */
async function ask(
  { agent, assertions, log }: Means,
  owner: Owner,
  request: FastifyRequest,
  writer: ForwardingWriter,
): Promise<Answer | undefined> {
  const kid = assertions.commonKey(owner);
  if (kid === undefined) {
    log.error(
      { event: 'forwarding_key_missing', origin: owner.origin, kids: owner.kids },
      'request not forwarded: no sharing key in common with the writer',
    );
    return undefined;
  }
  const hasBody = request.body !== undefined && request.body !== null;
  const body = hasBody ? await assertions.encrypt(JSON.stringify(request.body), kid) : '';
  const call = {
    method: request.method,
    target: canonicalTarget(request),
    headers: statedHeaders(request),
    // Every route that makes changes has authenticated its caller.
    caller: request.caller as Caller,
  };
  const assertion = await assertions.sign(call, body, owner, kid);
  const replaced = new AbortController();
  // A writer that was replaced, and that is frozen, may never answer.
  const watch = every(ASK_AGAIN_AFTER_MS, () => void abortIfReplaced(writer, owner, replaced));
  try {
    const {
      statusCode,
      headers,
      body: answered,
    } = await agent.request({
      origin: owner.origin,
      path: call.target,
      method: call.method as 'POST',
      headers: {
        ...call.headers,
        authorization: `${SCHEME} ${assertion}`,
        ...(hasBody && { 'content-type': ENCRYPTED }),
      },
      body: hasBody ? body : null,
      signal: replaced.signal,
    });
    const answer = { status: statusCode, headers, text: await answered.text() };
    if (statusCode === 401) {
      log.error(
        { event: 'forwarding_refused', origin: owner.origin, answer: answer.text.slice(0, 500) },
        'owner refused a forwarded request',
      );
      throw new DatabridgeError(
        'DB_NOT_THE_WRITER',
        'The control plane that makes the changes refused the forwarded request: nothing was changed; check that all control planes have the same sharing keys and the right time',
      );
    }
    return statusCode === 503 && answer.text.includes('DB_NOT_THE_WRITER') ? undefined : answer;
  } catch (error) {
    if (error instanceof DatabridgeError) throw error;
    if (NOT_REACHED.has(String((error as { code?: unknown }).code))) return undefined;
    throw new DatabridgeError(
      'DB_NOT_THE_WRITER',
      'The control plane that makes the changes did not answer: the change may have been made or not; read the object before you try again',
      { cause: error },
    );
  } finally {
    watch.cancel();
  }
}

async function abortIfReplaced(writer: ForwardingWriter, asked: Owner, replaced: AbortController): Promise<void> {
  const now = await writer.owner();
  if (writer.isOwner || now?.term !== asked.term) replaced.abort(new Error('another control plane is the writer now'));
}

async function passOn({ status, headers, text }: Answer, reply: FastifyReply): Promise<FastifyReply> {
  for (const name of ANSWER_HEADERS) {
    const value = headers[name];
    if (value !== undefined) reply.header(name, value);
  }
  const type = headers['content-type'];
  if (typeof type === 'string') reply.type(type);
  // Sent unchanged: the writer's own serializer made it.
  return await reply.code(status).serializer(String).send(text);
}
