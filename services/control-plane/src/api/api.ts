import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '@databridge/kernel/log';
import swagger from '@fastify/swagger';
import { type FastifyBaseLogger, type FastifyInstance, fastify, type RawServerDefault } from 'fastify';
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import type { AttemptView } from '../attempt-view.ts';
import type { ControlPlaneContext } from '../context.ts';
import { guardAccess } from './access.ts';
import { attemptRoutes } from './attempt-routes.ts';
import { filterRoutes } from './filter-routes.ts';
import { rememberAnswers } from './idempotency.ts';
import { operationRoutes } from './operation-routes.ts';
import { answerWithProblems } from './problem.ts';
import { subscriptionRoutes } from './subscription-routes.ts';
import type { Tokens } from './tokens.ts';

export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

export interface ApiContext {
  readonly operations: ControlPlaneContext;
  readonly attempts: Pick<AttemptView, 'find' | 'listen'>;
  /** One change after the other: each reads, decides, and writes. */
  writes<T>(change: () => Promise<T>): Promise<T>;
}

const MAX_BODY_BYTES = 1_048_576;

/**
 * The API under `/v1`, not yet listening; `/v1/openapi.json` describes it.
 *
 *     request ─▶ who is it? may it? ─▶ valid? ─▶ seen before (Idempotency-Key)? ─▶ operation ─▶ answer
 *                    └ 401, 403, 404    └ 422       └ the first answer              └ 4xx, 5xx as a problem
 */
export async function createApi(
  operations: ControlPlaneContext,
  attempts: ApiContext['attempts'],
  tokens: Tokens,
  log: Logger,
): Promise<Api> {
  const api: Api = fastify({
    bodyLimit: MAX_BODY_BYTES,
  }).withTypeProvider<ZodTypeProvider>();
  api.setValidatorCompiler(validatorCompiler);
  api.setSerializerCompiler(serializerCompiler);
  await api.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Databridge Events', version: 'v1', description: 'Subscriptions, their state, and replay.' },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      security: [{ bearer: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  answerWithProblems(api as unknown as FastifyInstance, log);
  guardAccess(api as unknown as FastifyInstance, tokens);
  rememberAnswers(api as unknown as FastifyInstance);

  const context = { operations, attempts, writes: oneAfterTheOther() };
  api.get('/v1/openapi.json', { config: { access: 'open' }, schema: { hide: true } }, () => api.swagger());
  subscriptionRoutes(api, context);
  operationRoutes(api, context);
  attemptRoutes(api, context);
  filterRoutes(api);
  await api.ready();
  return api;
}

function oneAfterTheOther(): ApiContext['writes'] {
  let last: Promise<unknown> = Promise.resolve();
  return (change) => {
    const next = last.then(change, change);
    last = next.catch(() => undefined);
    return next;
  };
}
