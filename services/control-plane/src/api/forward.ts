import { setTimeout as delay } from 'node:timers/promises';
import { DatabridgeError } from '@databridge/kernel/errors';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Writer } from '../subscriptions/writer.ts';

export type ForwardingWriter = Pick<Writer, 'isOwner' | 'ownerUrl'>;

/** On a request that another control plane sent on: it is not sent on again. */
const FORWARDED = 'databridge-forwarded';
/** What the writer must know of a request, beside method, path and body. */
const HEADERS = ['authorization', 'content-type', 'accept', 'if-match', 'if-none-match', 'idempotency-key', 'prefer'];
/** A writer that was killed is replaced after its session time-out, of 10 s by default. */
const WRITER_WITHIN_MS = 30_000;
const ASK_AGAIN_AFTER_MS = 100;
/** The longest operation waits a minute for a customer's worker. */
const ANSWER_WITHIN_MS = 150_000;

/**
 * Sends what changes something to the control plane that writes, and its answer back, as if it had been asked itself.
 * While there is none, or none that can be reached, the request waits: nothing has been done then.
 */
export function forwardChanges(api: FastifyInstance, writer: ForwardingWriter): void {
  api.addHook('preValidation', async (request, reply) => {
    const { access } = request.routeOptions.config;
    // What only looks is answered here, whatever its method.
    if (request.method === 'GET' || (access !== 'act' && access !== 'operate')) return undefined;
    const giveUpAtMs = performance.now() + WRITER_WITHIN_MS;
    while (!writer.isOwner) {
      if (request.headers[FORWARDED] !== undefined || performance.now() > giveUpAtMs) {
        throw new DatabridgeError('DB_NOT_THE_WRITER', 'No control plane can make changes at the moment; try again');
      }
      const { ownerUrl } = writer;
      const isStill = () => !writer.isOwner && writer.ownerUrl === ownerUrl;
      const answer = ownerUrl === undefined ? undefined : await askWriter(ownerUrl, request, isStill);
      if (answer !== undefined) return await passOn(answer, reply);
      await delay(ASK_AGAIN_AFTER_MS);
    }
    return undefined;
  });
}

/**
 * @param isStill whether that one is the writer still: what a writer that is not any more was asked, it may never answer
 * @returns undefined if the request was not taken up: it may be sent again
 */
async function askWriter(url: string, request: FastifyRequest, isStill: () => boolean): Promise<Response | undefined> {
  const replaced = new AbortController();
  const watch = setInterval(() => {
    if (!isStill()) replaced.abort(new Error('another is the writer now'));
  }, ASK_AGAIN_AFTER_MS);
  const headers = new Headers({ [FORWARDED]: '1' });
  for (const name of HEADERS) {
    const value = request.headers[name];
    if (typeof value === 'string') headers.set(name, value);
  }
  try {
    const answer = await fetch(new URL(request.url, url), {
      method: request.method,
      headers,
      ...(request.body !== undefined && request.body !== null && { body: JSON.stringify(request.body) }),
      redirect: 'manual',
      signal: AbortSignal.any([replaced.signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
    });
    if (answer.status !== 503) return answer;
    const isStandby = (await answer.clone().text()).includes('DB_NOT_THE_WRITER');
    return isStandby ? undefined : answer;
  } catch (error) {
    if (NOT_REACHED.has(String((error as { cause?: { code?: unknown } }).cause?.code))) return undefined;
    throw new DatabridgeError(
      'DB_NOT_THE_WRITER',
      'The control plane that makes the changes did not answer: it may be done or not; look before you try again',
      { cause: error },
    );
  } finally {
    clearInterval(watch);
  }
}

/** The request has not left us. */
const NOT_REACHED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);

async function passOn(answer: Response, reply: FastifyReply): Promise<FastifyReply> {
  for (const name of ['etag', 'retry-after', 'www-authenticate', 'idempotency-replayed', 'location']) {
    const value = answer.headers.get(name);
    if (value !== null) reply.header(name, value);
  }
  const type = answer.headers.get('content-type');
  if (type !== null) reply.type(type);
  // As it came: it has been through the writer's own serializer.
  return reply
    .code(answer.status)
    .serializer(String)
    .send(await answer.text());
}
