import { createHash } from 'node:crypto';
import { DatabridgeError } from '@databridge/kernel/errors';
import type { FastifyInstance, FastifyRequest } from 'fastify';

interface Remembered {
  readonly bodyHash: string;
  /** Undefined while the first request is under way. */
  answer: { readonly status: number; readonly type: string; readonly payload: string } | undefined;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on the request whose answer is remembered. */
    remembers: Remembered | undefined;
  }
}

const MAX_REMEMBERED = 10_000;
const KEY = /^[\x21-\x7e]{1,128}$/;

/**
 * A POST that is sent again with the same `Idempotency-Key` gets the answer of the first, and does nothing again. What
 * failed by our fault is not remembered: trying again is what the key is for. Kept in this process only: after a
 * restart, a key is new.
 */
export function rememberAnswers(api: FastifyInstance): void {
  const remembered = new Map<string, Remembered>();
  const placeOf = (request: FastifyRequest): string | undefined => {
    const key = request.headers['idempotency-key'];
    if (request.method !== 'POST' || typeof key !== 'string') return undefined;
    return `${request.caller?.name} ${request.url} ${key}`;
  };

  api.decorateRequest('remembers', undefined);
  api.addHook('preHandler', async (request, reply) => {
    const place = placeOf(request);
    if (place === undefined) return undefined;
    if (!KEY.test(String(request.headers['idempotency-key']))) {
      throw new DatabridgeError('DB_INPUT_INVALID', 'An Idempotency-Key is 1 to 128 visible ASCII characters');
    }
    const bodyHash = createHash('sha256')
      .update(JSON.stringify(request.body ?? null))
      .digest('base64url');
    const known = remembered.get(place);
    if (known === undefined) {
      const [oldest] = remembered.keys();
      if (remembered.size >= MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
      request.remembers = { bodyHash, answer: undefined };
      remembered.set(place, request.remembers);
      return undefined;
    }
    if (known.bodyHash !== bodyHash) {
      throw new DatabridgeError('DB_INPUT_INVALID', 'That Idempotency-Key came before, with another body');
    }
    if (known.answer === undefined) {
      throw new DatabridgeError('DB_CONFLICT', 'The first request with that Idempotency-Key is still under way');
    }
    const { status, type, payload } = known.answer;
    reply.header('idempotency-replayed', 'true');
    return await reply.code(status).type(type).serializer(String).send(payload);
  });

  api.addHook('onSend', async (request, reply, payload) => {
    const place = placeOf(request);
    if (place === undefined || request.remembers === undefined) return;
    if (reply.statusCode >= 500) remembered.delete(place);
    const type = String(reply.getHeader('content-type') ?? 'application/json');
    request.remembers.answer = { status: reply.statusCode, type, payload: String(payload ?? '') };
  });
}
