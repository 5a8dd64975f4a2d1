import type { Logger } from '@databridge/kernel/log';
import type { Actor } from '@databridge/schemas/records/audit';
import { type FastifyInstance, fastify } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { ControlPlaneContext } from '../context.ts';
import { OperationRunner } from '../operations/runner.ts';
import type { Writer } from '../subscriptions/writer.ts';
import { type Callers, callerOf, guardAccess } from './auth/access.ts';
import type { Api, ApiContext, MakeChange } from './context.ts';
import { type ForwardingWriter, forwardChanges } from './forward.ts';
import { rememberAnswers } from './idempotency.ts';
import { refuseOtherMethods } from './methods.ts';
import { describeApi } from './openapi/describe.ts';
import { operateBy } from './operate.ts';
import { answerWithProblems } from './problem.ts';
import { attemptRoutes } from './routes/attempt-routes.ts';
import { auditRoutes } from './routes/audit-routes.ts';
import { comparisonRoutes } from './routes/comparison-routes.ts';
import { deadLetterRoutes } from './routes/dead-letter-routes.ts';
import { eventRoutes } from './routes/event-routes.ts';
import { filterRoutes } from './routes/filter-routes.ts';
import { operationRoutes } from './routes/operation-routes.ts';
import { overviewRoutes } from './routes/overview-routes.ts';
import { quarantineRoutes } from './routes/quarantine-routes.ts';
import { secretRoutes } from './routes/secret-routes.ts';
import { subscriptionRoutes } from './routes/subscription-routes.ts';

export type ApiWriter = ForwardingWriter & Pick<Writer, 'change'>;

/** What the API is made of. */
export interface ApiParts extends Omit<ApiContext, 'change' | 'operate'> {
  readonly callers: Callers;
  /** So many wrong tokens from an address within a minute close the door to it; left out: 20. */
  readonly maxFailures?: number;
  /** Addresses and ranges of proxies whose `X-Forwarded-For` is believed; left out: nobody's. */
  readonly trustedProxies?: readonly string[];
  readonly writer: ApiWriter;
  /** Left out: one of its own, which carries on with nothing. */
  readonly runner?: Pick<OperationRunner, 'begin' | 'settled'>;
  readonly log: Logger;
}

const MAX_BODY_BYTES = 1_048_576;

/**
 * The API under `/v1`, not yet listening; `/v1/openapi.json` describes it.
 *
 *     request ─▶ who is it? may it? ─▶ ours to change? ─▶ valid? ─▶ seen before (Idempotency-Key)? ─▶ operation ─▶ answer
 *                    └ 401, 403, 404     └ the writer's     └ 422       └ the first answer               └ a problem
 *                                          answer
 */
export async function createApi({
  operations,
  attempts,
  events,
  callers,
  maxFailures,
  trustedProxies,
  writer,
  runner = new OperationRunner(writer, operations),
  log,
}: ApiParts): Promise<Api> {
  const api: Api = fastify({
    bodyLimit: MAX_BODY_BYTES,
    // What is too long is told as every other mistake is; a URL ends with the 16 KiB that Node takes.
    routerOptions: { maxParamLength: MAX_BODY_BYTES },
    trustProxy: trustedProxies === undefined ? false : [...trustedProxies],
  }).withTypeProvider<ZodTypeProvider>();
  api.setValidatorCompiler(validatorCompiler);
  api.setSerializerCompiler(serializerCompiler);
  await describeApi(api as unknown as FastifyInstance);
  answerWithProblems(api as unknown as FastifyInstance, log);
  guardAccess(api as unknown as FastifyInstance, callers, maxFailures);
  forwardChanges(api as unknown as FastifyInstance, writer);
  rememberAnswers(api as unknown as FastifyInstance);

  const context = { operations, attempts, events, change: changesBy(writer, operations), operate: operateBy(runner) };
  const refuseOthers = refuseOtherMethods(api as unknown as FastifyInstance);
  api.get('/v1/openapi.json', { schema: { hide: true } }, () => api.swagger());
  subscriptionRoutes(api, context);
  operationRoutes(api, context);
  deadLetterRoutes(api, context);
  quarantineRoutes(api, context);
  attemptRoutes(api, context);
  eventRoutes(api, context);
  secretRoutes(api, context);
  auditRoutes(api, context);
  filterRoutes(api);
  comparisonRoutes(api, context);
  overviewRoutes(api, context);
  refuseOthers();
  await api.ready();
  return api;
}

function changesBy(writer: ApiWriter, operations: ControlPlaneContext): MakeChange {
  return (request, customer, run) => {
    const who: Actor = { ...callerOf(request) };
    return writer.change(who, customer, (commit) => run({ ...operations, commit }));
  };
}
