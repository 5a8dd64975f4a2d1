import { DatabridgeError } from '@databridge/kernel/errors';
import type { Logger } from '@databridge/kernel/log';
import type { FastifyInstance } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { OperationFailed } from '../operations/runner.ts';
import { SomethingWaits } from '../subscriptions/delete-customer.ts';
import { RefusedFields } from '../subscriptions/refused-fields.ts';

export const pointedMisfit = z.object({
  pointer: z.string().describe('JSON pointer into the body'),
  detail: z.string(),
});

/** RFC 9457. `code` is stable; `detail` is for people. */
export const problem = z
  .object({
    type: z.string().describe('about:blank: the code says it'),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string(),
    errors: z.array(pointedMisfit).optional(),
    waiting: z
      .object({ events: z.int(), deadLetters: z.int() })
      .optional()
      .describe('what a deletion would leave undelivered'),
  })
  .meta({ id: 'Problem' });
type Problem = z.infer<typeof problem>;

/** What every route may answer. */
const content = { 'application/problem+json': { schema: problem } };
export const problems = {
  '4xx': { description: 'It is not done, and why', content },
  '5xx': { description: 'It may not be done, by a fault of ours', content },
};

export interface Misfit {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Every mistake in a body at once. */
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
  409: 'Conflict',
  412: 'Precondition failed',
  413: 'Content too large',
  415: 'Unsupported media type',
  422: 'Invalid',
  428: 'Precondition required',
  429: 'Too many requests',
  503: 'Unavailable',
  504: 'Not in time',
};

export function answerWithProblems(api: FastifyInstance, log: Logger): void {
  api.setErrorHandler(async (error, request, reply) => {
    const answer = problemOf(error);
    if (answer.status >= 500)
      log.error({ err: error, method: request.method, route: request.routeOptions.url }, answer.detail);
    if (answer.status === 401) reply.header('www-authenticate', 'Bearer');
    if (answer.status === 429) reply.header('retry-after', '60');
    return await reply.code(answer.status).type('application/problem+json').serializer(JSON.stringify).send(answer);
  });
  api.setNotFoundHandler(async (request, reply) => {
    const detail = `There is no ${request.method} ${request.url.split('?')[0]}`;
    const answer = problemWith(404, 'DB_NOT_FOUND', detail);
    return await reply.code(404).type('application/problem+json').serializer(JSON.stringify).send(answer);
  });
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
  // What we did not foresee may hold anything: it goes to the log alone.
  if (status >= 500) return problemWith(500, 'DB_INTERNAL', 'That failed by a fault of ours; the log says more');
  return problemWith(status, 'DB_INPUT_INVALID', (error as Error).message);
}

/** A place in a body as RFC 6901 writes it. */
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
