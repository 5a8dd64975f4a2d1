import { DatabridgeError } from '@databridge/kernel/errors';
import type { Logger } from '@databridge/kernel/log';
import type { Actor } from '@databridge/schemas/records/audit';
import { defaultRetryPlan } from '@databridge/schemas/retries/retry-plan';
import { type FastifyInstance, fastify } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Registry } from 'prom-client';
import type { ControlPlaneContext } from '../context.ts';
import type { Assertions } from '../forwarding/assertion.ts';
import { AnswerSeal } from '../idempotency/answer-seal.ts';
import type { KeptAnswers } from '../idempotency/kept-answers.ts';
import { measureRequests } from '../observe/api-metrics.ts';
import { OperationRunner } from '../operations/runner.ts';
import { type PortalParts, portalRoutes } from '../portal/portal-routes.ts';
import { MemorySessionStore } from '../portal/session-store.ts';
import { Sessions } from '../portal/sessions.ts';
import type { Commit } from '../subscriptions/changes.ts';
import type { Writer } from '../subscriptions/writer.ts';
import { type Callers, callerOf, guardAccess } from './auth/access.ts';
import type { Api, ApiContext, MakeChange } from './context.ts';
import { acceptForwarded, type ForwardingWriter, forwardChanges } from './forward.ts';
import { rememberAnswers, type UnderKey } from './idempotency.ts';
import { takeJsonBodies } from './json-body.ts';
import { queueExpensiveRoutes } from './limits/expensive-routes.ts';
import type { StreamLimits } from './limits/live-streams.ts';
import { limitRequestRate, type RequestRates } from './limits/request-rate.ts';
import { methodsByPath } from './methods.ts';
import { describeApi } from './openapi/describe.ts';
import { answerBy, operateBy } from './operate.ts';
import { answerUnparsed, answerWithProblems, refuseUnknownRoutes } from './problem.ts';
import { refuseAmbiguousTargets } from './request-target.ts';
import { auditRoutes } from './routes/audit-routes.ts';
import { comparisonRoutes } from './routes/comparison-routes.ts';
import { erasureRoutes } from './routes/erasure-routes.ts';
import { attemptRoutes } from './routes/events/attempt-routes.ts';
import { catalogueRoutes } from './routes/events/catalogue-routes.ts';
import { deadLetterRoutes } from './routes/events/dead-letter-routes.ts';
import { eventFateRoutes } from './routes/events/event-fate-routes.ts';
import { eventRoutes } from './routes/events/event-routes.ts';
import { explanationRoutes } from './routes/events/explanation-routes.ts';
import { intakeRoutes } from './routes/events/intake-routes.ts';
import { quarantineRoutes } from './routes/events/quarantine-routes.ts';
import { factRoutes, type ServiceFacts } from './routes/fact-routes.ts';
import { healthRoutes } from './routes/health-routes.ts';
import { operationRoutes } from './routes/operation-routes.ts';
import { overviewRoutes } from './routes/overview-routes.ts';
import { rehearsalRoutes } from './routes/rehearsal-routes.ts';
import { sessionRoutes } from './routes/session-routes.ts';
import { certificateRoutes } from './routes/subscriptions/certificate-routes.ts';
import { filterRoutes } from './routes/subscriptions/filter-routes.ts';
import { intakePageRoutes } from './routes/subscriptions/intake-page-routes.ts';
import { invitationRoutes } from './routes/subscriptions/invitation-routes.ts';
import { sealingKeyRoutes } from './routes/subscriptions/sealing-key-routes.ts';
import { secretRoutes } from './routes/subscriptions/secret-routes.ts';
import { subscriptionRoutes } from './routes/subscriptions/subscription-routes.ts';

export type ApiWriter = ForwardingWriter & Pick<Writer, 'change'>;

/** The limits of how much callers may use the API. */
export interface ApiLimits extends RequestRates, StreamLimits {
  /**
   * The number of requests with unknown tokens from one address that are answered 401 within a minute; further ones are
   * answered 429.
   */
  readonly maxFailures: number;
  /** The number of expensive requests that run at the same time. */
  readonly maxExpensive: number;
}

/** The parts that the API is made of. */
export interface ApiParts
  extends Omit<ApiContext, 'change' | 'operate' | 'streamLimits' | 'doctor' | 'retryPlan' | 'invitationLink'> {
  /** If omitted, intake topics and the registry are not checked. */
  readonly doctor?: ApiContext['doctor'];
  /** If omitted, the default is used. */
  readonly retryPlan?: ApiContext['retryPlan'];
  /** If omitted, none are stated. */
  readonly facts?: ServiceFacts;
  readonly callers: Callers;
  /** If omitted, sessions of the portal end with the process. */
  readonly sessions?: Sessions;
  /** If omitted, the portal is not served. */
  readonly portal?: PortalParts;
  /** If omitted, there is no set-up page. */
  readonly invitationLink?: ApiContext['invitationLink'];
  /** Limits that are omitted do not apply. */
  readonly limits?: Partial<ApiLimits>;
  /** Addresses and ranges of proxies whose `X-Forwarded-For` is trusted; if omitted, no proxy is trusted. */
  readonly trustedProxies?: readonly string[];
  readonly writer: ApiWriter;
  /** If omitted, the API makes its own, which resumes nothing. */
  readonly runner?: Pick<OperationRunner, 'begin' | 'settled'>;
  /** If omitted, nothing is kept for idempotency keys. */
  readonly kept?: KeptAnswers & { readonly seal: AnswerSeal };
  /** If omitted, nothing is forwarded, and no forwarded request is accepted. */
  readonly assertions?: Assertions;
  readonly log: Logger;
  /** If omitted, requests are not measured. */
  readonly registry?: Registry;
}

const NOTHING_KEPT: NonNullable<ApiParts['kept']> = {
  seal: new AnswerSeal(new Map()),
  find: async () => undefined,
  keptBy: () => ({ keys: 0, bytes: 0, nextFreeAtMs: 0 }),
};
const MAX_BODY_BYTES = 1_048_576;
const UNLIMITED: ApiLimits = {
  maxFailures: Number.MAX_SAFE_INTEGER,
  perMinute: Number.MAX_SAFE_INTEGER,
  operatorPerMinute: Number.MAX_SAFE_INTEGER,
  maxExpensive: Number.MAX_SAFE_INTEGER,
  maxStreams: Number.MAX_SAFE_INTEGER,
  maxStreamsPerTenant: Number.MAX_SAFE_INTEGER,
};

/**
 * The API under `/v1`, not yet listening; `/v1/openapi.json` describes it.
 *
 *     request ─▶ target, caller, rights, rate ─▶ owner of changes ─▶ valid ─▶ Idempotency-Key ─▶ operation ─▶ answer
 *                  └ 400, 401, 403, 404, 429      └ the owner's        └ 422     └ the first         └ a problem
 *                                                   answer                         answer
 */
export async function createApi({
  operations,
  attempts,
  events,
  doctor = { eventTypes: [] },
  retryPlan = defaultRetryPlan(),
  intake,
  facts = {},
  callers,
  sessions = new Sessions(new MemorySessionStore(), (id) => callers.callerById?.(id)),
  portal,
  invitationLink = noSetUpPage,
  limits: given,
  trustedProxies,
  writer,
  runner = new OperationRunner(writer, operations),
  kept = NOTHING_KEPT,
  assertions,
  log,
  registry,
}: ApiParts): Promise<Api> {
  const limits = { ...UNLIMITED, ...given };
  const api: Api = fastify({
    bodyLimit: MAX_BODY_BYTES,
    // Values that are too long are reported like other mistakes; Node limits a URL to 16 KiB.
    routerOptions: { maxParamLength: MAX_BODY_BYTES },
    clientErrorHandler: answerUnparsed,
    trustProxy: trustedProxies === undefined ? false : [...trustedProxies],
  }).withTypeProvider<ZodTypeProvider>();
  api.setValidatorCompiler(validatorCompiler);
  api.setSerializerCompiler(serializerCompiler);
  if (registry) measureRequests(api as unknown as FastifyInstance, registry);
  takeJsonBodies(api as unknown as FastifyInstance);
  await describeApi(api as unknown as FastifyInstance);
  answerWithProblems(api as unknown as FastifyInstance, log);
  refuseAmbiguousTargets(api as unknown as FastifyInstance);
  await limitRequestRate(api as unknown as FastifyInstance, limits);
  queueExpensiveRoutes(api as unknown as FastifyInstance, limits.maxExpensive);
  guardAccess(api as unknown as FastifyInstance, {
    ...{ callers, sessions, maxFailures: limits.maxFailures },
    forwarded: async (request) => assertions && (await acceptForwarded(request, assertions, writer.origin)),
  });
  forwardChanges(api as unknown as FastifyInstance, writer, assertions, log);
  rememberAnswers(api as unknown as FastifyInstance, {
    ...{ kept, writer, log, seal: kept.seal },
    answerByOperation: async (request, reply, id) => {
      const operation = (await operations.operations()).get(id);
      if (operation !== undefined) return await answerBy(runner, request, reply, operation);
      throw new DatabridgeError(
        'DB_NOT_FOUND',
        `Operation ${id}, which the first request started, is no longer stored`,
      );
    },
  });

  const change = changesBy(writer, operations);
  const context = {
    ...{ operations, attempts, events, intake, invitationLink, doctor, change, retryPlan },
    ...{ operate: operateBy(runner), streamLimits: limits },
  };
  refuseUnknownRoutes(api as unknown as FastifyInstance, methodsByPath(api as unknown as FastifyInstance));
  api.get('/v1/openapi.json', { schema: { hide: true } }, () => api.swagger());
  sessionRoutes(api, sessions);
  if (portal !== undefined) portalRoutes(api, portal, sessions);
  subscriptionRoutes(api, context);
  operationRoutes(api, context);
  deadLetterRoutes(api, context);
  quarantineRoutes(api, context);
  erasureRoutes(api, context);
  attemptRoutes(api, context);
  eventRoutes(api, context);
  explanationRoutes(api, context);
  eventFateRoutes(api, context);
  intakeRoutes(api, context);
  rehearsalRoutes(api, context);
  secretRoutes(api, context);
  sealingKeyRoutes(api, context);
  certificateRoutes(api, context);
  invitationRoutes(api, context);
  intakePageRoutes(api, context);
  auditRoutes(api, context);
  filterRoutes(api, context);
  catalogueRoutes(api, context);
  comparisonRoutes(api, context);
  overviewRoutes(api, context);
  healthRoutes(api, { ...context, writer });
  factRoutes(api, { facts, retryPlan });
  await api.ready();
  return api;
}

/** All changes of a request are written together with its idempotency key. */
function underKey(under: UnderKey | undefined, commit: Commit): Commit {
  if (under === undefined) return commit;
  return async (changes) => {
    if (changes.length === 0) return;
    await commit([...changes, { remembered: under.remembered }]);
    under.isCarriedOut = true;
  };
}

function noSetUpPage(): never {
  throw new DatabridgeError(
    'DB_CONFLICT',
    'There is no set-up page: set INTAKE_PORT of the control planes, and INTAKE_URL to the address at which customers reach it',
  );
}

function changesBy(writer: ApiWriter, operations: ControlPlaneContext): MakeChange {
  return (request, customer, run) => {
    const who: Actor = { ...callerOf(request) };
    return writer.change(who, customer, (commit) => run({ ...operations, commit: underKey(request.underKey, commit) }));
  };
}
