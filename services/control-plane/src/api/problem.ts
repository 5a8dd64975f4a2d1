import type { Socket } from 'node:net';
import { DatabridgeError } from '@databridge/kernel/errors';
import type { Logger } from '@databridge/kernel/log';
import type { FastifyInstance } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { OperationFailed } from '../operations/runner.ts';
import { RefusedFields } from '../subscriptions/checks/refused-fields.ts';
import { SomethingWaits } from '../subscriptions/delete-customer.ts';

export const pointedMisfit = z.object({
  pointer: z.string().describe('JSON pointer into the body'),
  detail: z.string(),
});

/** Problem details of RFC 9457. Clients decide by `code`, which is stable; `detail` is text for people. */
export const problem = z
  .object({
    type: z.string().describe('always about:blank; `code` names the kind of problem'),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string(),
    errors: z.array(pointedMisfit).optional(),
    waiting: z
      .object({ events: z.int(), deadLetters: z.int() })
      .optional()
      .describe('Events and dead letters that a deletion would leave undelivered'),
  })
  .meta({ id: 'Problem' });
type Problem = z.infer<typeof problem>;

/** Problems with which every route may answer. */
const content = { 'application/problem+json': { schema: problem } };
export const problems = {
  '4xx': { description: 'The request was refused and changed nothing; the problem says why', content },
  '5xx': { description: 'The service failed: the request may have been carried out or not', content },
};

export interface Misfit {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Lists every mistake in a body. */
export class InvalidBody extends DatabridgeError {
  readonly misfits: readonly Misfit[];

  constructor(misfits: readonly Misfit[]) {
    super('DB_INPUT_INVALID', misfits.map(({ path, message }) => `${path.join('.')} ${message}`.trim()).join('; '));
    this.misfits = misfits;
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Unauthenticated',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Request timeout',
  409: 'Conflict',
  412: 'Precondition failed',
  413: 'Content too large',
  415: 'Unsupported media type',
  422: 'Unprocessable content',
  428: 'Precondition required',
  429: 'Too many requests',
  431: 'Request header fields too large',
  503: 'Service unavailable',
  504: 'Gateway timeout',
};

/** Sent with a 429 whose cause states no time of its own. */
const RETRY_AFTER_SECONDS = 10;

export function answerWithProblems(api: FastifyInstance, log: Logger): void {
  api.setErrorHandler(async (error, request, reply) => {
    const answer = problemOf(error);
    if (answer.status >= 500)
      log.error(
        { event: 'api_internal_error', err: error, method: request.method, route: request.routeOptions.url },
        answer.detail,
      );
    if (answer.status === 401) reply.header('www-authenticate', 'Bearer');
    if (answer.status === 429 && !reply.hasHeader('retry-after'))
      reply.header('retry-after', String(RETRY_AFTER_SECONDS));
    return await reply.code(answer.status).type('application/problem+json').serializer(JSON.stringify).send(answer);
  });
}

/**
 * Answers 404, and 405 with `Allow` if the path exists but not the method (RFC 9110 §15.5.6). This comes before the
 * body is checked, since its type says nothing about a missing route.
 */
export function refuseUnknownRoutes(api: FastifyInstance, methodsOf: (path: string) => readonly string[]): void {
  const limitRate = api.rateLimit();
  api.addHook('preParsing', async (request, reply) => {
    if (!request.is404) return;
    await limitRate.call(api, request, reply);
    const path = request.url.split('?')[0] ?? '';
    const allow = methodsOf(path).toSorted().join(', ');
    if (allow === '') {
      const detail = `There is no ${request.method} ${path}; GET /v1/openapi.json lists every route`;
      throw new DatabridgeError('DB_NOT_FOUND', detail);
    }
    reply.header('allow', allow);
    throw new DatabridgeError('DB_METHOD_NOT_ALLOWED', `${path} does not support ${request.method}, only ${allow}`);
  });
}

/** Answers input that Node's HTTP parser refused: it did not become a request. */
export function answerUnparsed(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const answer = unparsedProblem(error.code ?? '');
  const text = JSON.stringify(answer);
  const head = `HTTP/1.1 ${answer.status} ${answer.title}\r\nconnection: close\r\ncontent-type: application/problem+json`;
  socket.end(`${head}\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
}

function unparsedProblem(code: string): Problem {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return problemWith(431, 'DB_INPUT_INVALID', 'The request line and the headers are longer than 16 KiB together');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return problemWith(408, 'DB_INPUT_INVALID', 'The request did not arrive in time');
    case 'HPE_INVALID_URL':
      return problemWith(400, 'DB_TARGET_REFUSED', 'The request target must be a path that begins with "/"');
    default:
      return problemWith(400, 'DB_INPUT_INVALID', `The request is not valid HTTP/1.1 (${code})`);
  }
}

function problemOf(error: unknown): Problem {
  if (error instanceof InvalidBody) return withErrors(error.message, error.misfits);
  if (error instanceof RefusedFields) {
    return { ...problemWith(error.httpStatus, error.code, error.message), errors: error.issues.map(pointed) };
  }
  if ((error instanceof SomethingWaits || error instanceof OperationFailed) && error.waiting !== undefined) {
    const { events = 0, deadLetters = 0 } = error.waiting;
    return { ...problemWith(error.httpStatus, error.code, error.message), waiting: { events, deadLetters } };
  }
  if (error instanceof DatabridgeError) return problemWith(error.httpStatus, error.code, error.message);
  if (hasZodFastifySchemaValidationErrors(error)) {
    const misfits = error.validation.map(({ instancePath, message }) => ({
      path: instancePath.split('/').filter(Boolean),
      message: message ?? 'is not valid',
    }));
    return withErrors(`The ${error.validationContext ?? 'request'} is not valid`, misfits);
  }
  const status = (error as { statusCode?: number }).statusCode ?? 500;
  // The message of an unforeseen error may contain anything, including a secret: it is written to the log only.
  if (status >= 500) return problemWith(500, 'DB_INTERNAL', 'Internal error; the service log has the details');
  return problemWith(status, 'DB_INPUT_INVALID', (error as Error).message);
}

/** A mistake with its place as a JSON pointer (RFC 6901). */
export function pointed({ path, message }: Misfit): z.infer<typeof pointedMisfit> {
  const pointer = path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  return { pointer, detail: message };
}

const problemWith = (status: number, code: string, detail: string): Problem => ({
  type: 'about:blank',
  title: TITLES[status] ?? 'Failed',
  status,
  code,
  detail,
});

function withErrors(detail: string, misfits: readonly Misfit[]): Problem {
  return { ...problemWith(422, 'DB_INPUT_INVALID', detail), errors: misfits.map(pointed) };
}
