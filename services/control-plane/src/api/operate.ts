import type { Caller } from '@databridge/kernel/secrets/tokens';
import { OPERATION_KINDS, type Operation } from '@databridge/schemas/records/operations';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Asked, OperationFailed, type OperationRunner } from '../operations/runner.ts';
import { maySee } from './auth/access.ts';

/** Most operations have ended within this time: their answer needs no second request. */
const ANSWER_WITHIN_MS = 10_000;

export const operationAnswer = z
  .object({
    id: z.string(),
    kind: z.enum(OPERATION_KINDS),
    customer: z.string().optional(),
    by: z.object({ name: z.string(), role: z.string(), customer: z.string().optional() }),
    input: z.record(z.string(), z.unknown()).describe('what was asked for'),
    state: z.enum(['running', 'done', 'failed']),
    step: z.string().describe('its current or last activity'),
    startedAtMs: z.number().describe('ms since the epoch'),
    updatedAtMs: z.number(),
    finishedAtMs: z.number().optional(),
    progress: z.object({ done: z.int(), total: z.int().optional() }).optional(),
    waitsFor: z.string().optional().describe('the reason for the next attempt'),
    result: z.record(z.string(), z.unknown()).optional().describe('of one that is done'),
    problem: z
      .object({
        code: z.string(),
        status: z.int(),
        detail: z.string(),
        waiting: z.record(z.string(), z.int()).optional(),
      })
      .optional()
      .describe('of one that failed'),
  })
  .meta({ id: 'Operation' });

export const accepted = { 202: operationAnswer.describe('The operation runs; its Location shows the progress') };

/**
 * Begins an operation and waits a while for its end: the answer is its result, or 202 with the operation. With `Prefer:
 * respond-async` (RFC 7240) it does not wait.
 * @throws {OperationFailed}
 */
export type Operate = (
  request: FastifyRequest,
  reply: FastifyReply,
  asked: Asked,
  // biome-ignore lint/suspicious/noExplicitAny: the result, or the operation, as the route's schemas say
) => Promise<any>;

export function operateBy(runner: Pick<OperationRunner, 'begin' | 'settled'>): Operate {
  return async (request, reply, asked) => {
    // Every route that begins operations has authenticated its caller.
    const by = { ...(request.caller as Caller) };
    const { underKey } = request;
    const operation = await runner.begin(by, { ...asked, ...(underKey && { remembered: underKey.remembered }) });
    // From here on, the operation reports the result of the request.
    if (underKey) underKey.operation = operation.id;
    return await answerBy(runner, request, reply, operation);
  };
}

/** Answers as {@link Operate} does, with an operation that was begun before. @throws {OperationFailed} */
export async function answerBy(
  runner: Pick<OperationRunner, 'settled'>,
  request: FastifyRequest,
  reply: FastifyReply,
  operation: Operation,
) {
  reply.header('location', `/v1/operations/${operation.id}`);
  const isAsync = /(^|,)\s*respond-async\b/i.test(String(request.headers['prefer'] ?? ''));
  const latest = isAsync ? operation : await runner.settled(operation, ANSWER_WITHIN_MS);
  if (latest.state === 'failed' && latest.problem !== undefined) throw new OperationFailed(latest.problem);
  if (latest.state === 'done') return latest.result;
  reply.code(202);
  return shown(latest);
}

/** The state for resuming the operation is not shown to callers. */
export function shown({ checkpoint: _, ...rest }: Operation) {
  return { ...rest };
}

export function maySeeOperation(caller: Caller | undefined, { customer }: Pick<Operation, 'customer'>): boolean {
  return customer === undefined ? caller?.role !== 'customer' : maySee(caller, customer);
}
