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

/** Answers kept for one token, in number and in bytes: a token that sends more displaces its own, and nobody else's. */
const MAX_REMEMBERED = 500;
const MAX_REMEMBERED_BYTES = 262_144;
const KEY = /^[\x21-\x7e]{1,128}$/;

/** What is remembered for one token, the oldest first. */
interface OfToken {
  readonly answers: Map<string, Remembered>;
  bytes: number;
}

/**
 * A POST that is repeated with the same `Idempotency-Key` and the same token gets the first answer, and nothing is done
 * again. Answers with a status of 500 or more are not remembered, so that the request can be repeated. Kept in memory by
 * the control plane that makes the changes: after a restart or a change of writer, a key is new.
 */
export function rememberAnswers(api: FastifyInstance): void {
  const tokens = new Map<string, OfToken>();
  const placeOf = (request: FastifyRequest): string | undefined => {
    const key = request.headers['idempotency-key'];
    if (request.method !== 'POST' || typeof key !== 'string') return undefined;
    return `${request.url} ${key}`;
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
    const identity = request.caller?.id ?? '';
    const ofToken = tokens.get(identity) ?? { answers: new Map<string, Remembered>(), bytes: 0 };
    tokens.set(identity, ofToken);
    const known = ofToken.answers.get(place);
    if (known === undefined) {
      request.remembers = { bodyHash, answer: undefined };
      ofToken.answers.set(place, request.remembers);
      forgetOldest(ofToken);
      return undefined;
    }
    if (known.bodyHash !== bodyHash) {
      throw new DatabridgeError(
        'DB_INPUT_INVALID',
        'This Idempotency-Key was used before with another body; use a new key',
      );
    }
    if (known.answer === undefined) {
      throw new DatabridgeError(
        'DB_CONFLICT',
        'The first request with this Idempotency-Key is still running; repeat the request later',
      );
    }
    const { status, type, payload } = known.answer;
    reply.header('idempotency-replayed', 'true');
    return await reply.code(status).type(type).serializer(String).send(payload);
  });

  api.addHook('onSend', async (request, reply, payload) => {
    const place = placeOf(request);
    if (place === undefined || request.remembers === undefined) return;
    const ofToken = tokens.get(request.caller?.id ?? '');
    if (ofToken === undefined || ofToken.answers.get(place) !== request.remembers) return;
    const text = String(payload ?? '');
    if (reply.statusCode >= 500) {
      ofToken.answers.delete(place);
      return;
    }
    const type = String(reply.getHeader('content-type') ?? 'application/json');
    request.remembers.answer = { status: reply.statusCode, type, payload: text };
    ofToken.bytes += text.length;
    forgetOldest(ofToken);
  });
}

function forgetOldest(ofToken: OfToken): void {
  for (const [place, { answer }] of ofToken.answers) {
    if (ofToken.answers.size <= MAX_REMEMBERED && ofToken.bytes <= MAX_REMEMBERED_BYTES) return;
    ofToken.answers.delete(place);
    ofToken.bytes -= answer?.payload.length ?? 0;
  }
}
