import { createHash } from 'node:crypto';
import { DatabridgeError, messageOf } from '@databridge/kernel/errors';
import type { Logger } from '@databridge/kernel/log';
import { systemClock } from '@databridge/kernel/time/clock';
import type { IdempotencyRecord } from '@databridge/schemas/records/idempotency';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AnswerSeal } from '../idempotency/answer-seal.ts';
import { type KeptAnswers, placeOf } from '../idempotency/kept-answers.ts';
import type { RememberedRequest } from '../subscriptions/changes.ts';
import type { Writer } from '../subscriptions/writer.ts';
import { callerOf, tenantOf } from './auth/access.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on a request with an idempotency key that is carried out for the first time. */
    underKey: UnderKey | undefined;
  }
}

/** A request that is being processed. */
export interface UnderKey {
  readonly remembered: RememberedRequest;
  /** Called when a change of it is written, together with the fact that it was carried out. */
  isCarriedOut: boolean;
  /** Called when it began this operation, which then reports its result. */
  operation?: string;
}

export interface IdempotencyParts {
  readonly kept: KeptAnswers;
  readonly writer: Pick<Writer, 'change'>;
  readonly seal: AnswerSeal;
  /** Answers a request with the operation that it began. */
  readonly answerByOperation: (request: FastifyRequest, reply: FastifyReply, id: string) => Promise<unknown>;
  readonly log: Logger;
}

/** The limit of keys of one tenant within 24 hours. A script that sends one change a minute stays below it. */
export const MAX_KEYS = 2_000;
export const MAX_KEPT_BYTES = 4_194_304;
/** Longer answers are not kept. Answers to changes take a few hundred bytes; some list their changes. */
const MAX_PAYLOAD_CHARS = 16_384;
const KEY = /^[\x21-\x7e]{1,128}$/;

/**
 * A POST that is repeated with the same `Idempotency-Key` and the same token gets the first answer, and nothing is done
 * again, within 24 hours:
 *
 *     key ─▶ running now? ─▶ kept? ─▶ quota ─▶ the change, and in its transaction "carried out" ─▶ the answer is kept
 *             └ 409           └ first  └ 429                                                       (a second record)
 *                               answer
 *
 * What was refused before it changed anything is not kept: it may be repeated. Only the writer comes here, and it looks
 * up a key within its term, after every other control plane is shut out: so a key is good across restarts and changes of
 * the writer. The answers are sealed.
 */
export function rememberAnswers(
  api: FastifyInstance,
  { kept, writer, seal, answerByOperation, log }: IdempotencyParts,
): void {
  /** The tenants by the place of their running requests. */
  const running = new Map<string, string>();

  api.decorateRequest('underKey', undefined);
  api.addHook('preHandler', async (request, reply) => {
    const key = keyOf(request);
    if (key === undefined) return undefined;
    const caller = callerOf(request);
    const place = placeOf(caller.id, request.url, key);
    if (running.has(place)) {
      throw new DatabridgeError(
        'DB_CONFLICT',
        'The first request with this Idempotency-Key is still running; repeat the request later',
      );
    }
    const tenant = tenantOf(caller);
    const nowMs = systemClock.nowMs();
    const remembered: RememberedRequest = {
      place,
      record: { v: 1, tenant, bodyHash: hashOf(request.body), atMs: nowMs },
    };
    running.set(place, tenant);
    try {
      const known = await writer.change({ ...caller }, `idempotency ${place}`, () => kept.find(place, nowMs));
      if (known === undefined) {
        refuseAboveQuota(reply, tenant);
        request.underKey = { remembered, isCarriedOut: false };
        return undefined;
      }
      if (known.bodyHash !== remembered.record.bodyHash) {
        throw new DatabridgeError(
          'DB_INPUT_INVALID',
          'This Idempotency-Key was used before with another body; use a new key',
        );
      }
      return await repeat(request, reply, known, place);
    } finally {
      if (request.underKey === undefined) running.delete(place);
    }
  });

  api.addHook('onSend', async (request, reply, payload) => {
    const { underKey } = request;
    if (underKey === undefined) return;
    const { place, record } = underKey.remembered;
    try {
      if (!underKey.isCarriedOut || underKey.operation !== undefined || reply.statusCode >= 500) return;
      const text = String(payload ?? '');
      if (text.length > MAX_PAYLOAD_CHARS) return;
      const type = String(reply.getHeader('content-type') ?? 'application/json');
      const answer = { status: reply.statusCode, type, sealedPayload: await seal.seal(text, place) };
      const remembered = { place, record: { ...record, answer } };
      await writer.change({ ...callerOf(request) }, `idempotency ${place}`, (commit) => commit([{ remembered }]));
    } catch (error) {
      // The change is made, and recorded under the key: the caller gets its answer.
      log.warn(
        { event: 'idempotency_answer_lost', err: error },
        `answer under an idempotency key not kept: ${messageOf(error)}`,
      );
    } finally {
      running.delete(place);
    }
  });

  function refuseAboveQuota(reply: FastifyReply, tenant: string): void {
    const nowMs = systemClock.nowMs();
    const { keys, bytes, nextFreeAtMs } = kept.keptBy(tenant, nowMs);
    // Running requests have no record yet; this request is one of them.
    const all = keys + [...running.values()].filter((one) => one === tenant).length;
    if (all <= MAX_KEYS && bytes < MAX_KEPT_BYTES) return;
    reply.header('retry-after', String(Math.ceil((nextFreeAtMs - nowMs) / 1_000)));
    throw new DatabridgeError(
      'DB_RATE_LIMITED',
      `You have used ${keys} idempotency keys with ${bytes} bytes of answers within 24 hours; at most ${MAX_KEYS} with ` +
        `${MAX_KEPT_BYTES} bytes are kept. Send the request without a key, or after ${new Date(nextFreeAtMs).toISOString()}`,
    );
  }

  async function repeat(request: FastifyRequest, reply: FastifyReply, known: IdempotencyRecord, place: string) {
    reply.header('idempotency-replayed', 'true');
    if (known.answer !== undefined) {
      const { status, type, sealedPayload } = known.answer;
      const payload = await seal.open(sealedPayload, place);
      if (payload !== undefined) return await reply.code(status).type(type).serializer(String).send(payload);
    }
    if (known.operation !== undefined)
      return await reply.send(await answerByOperation(request, reply, known.operation));
    throw new DatabridgeError(
      'DB_CONFLICT',
      `The first request with this Idempotency-Key was carried out at ${new Date(known.atMs).toISOString()}, but its answer ` +
        'was not stored: the request is not repeated; read the current state',
    );
  }
}

/** @throws {DatabridgeError} DB_INPUT_INVALID */
function keyOf(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key'];
  const { access } = request.routeOptions.config;
  // All other POST routes change nothing, and may be repeated without a key.
  if (request.method !== 'POST' || typeof key !== 'string' || !(access === 'act' || access === 'operate'))
    return undefined;
  if (KEY.test(key)) return key;
  throw new DatabridgeError('DB_INPUT_INVALID', 'An Idempotency-Key must be 1 to 128 visible ASCII characters');
}

function hashOf(body: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(body ?? null))
    .digest('base64url');
}
