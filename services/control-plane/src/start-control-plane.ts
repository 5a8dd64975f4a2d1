import { hostname } from 'node:os';
import { egressPolicy } from '@databridge/kernel/egress/egress-settings';
import { DatabridgeError, messageOf } from '@databridge/kernel/errors';
import { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { KafkaProducer } from '@databridge/kernel/kafka/producing/producer';
import { kafkaSettings } from '@databridge/kernel/kafka/settings';
import { ensureSystemTopics } from '@databridge/kernel/kafka/system-topics';
import { ErasedTable } from '@databridge/kernel/kafka/tables/erased-table';
import type { Logger } from '@databridge/kernel/log';
import type { MetricsRegistry } from '@databridge/kernel/metrics';
import { registrySettings } from '@databridge/kernel/registry/registry-settings';
import { SchemaRegistry } from '@databridge/kernel/registry/schema-registry';
import { loadKeySet } from '@databridge/kernel/secrets/key-settings';
import { SealingDesk } from '@databridge/kernel/secrets/sealing-desk';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import type { Running } from '@databridge/kernel/service';
import { readSetting } from '@databridge/kernel/settings/read-setting';
import { statedSettings } from '@databridge/kernel/settings/shared-settings';
import { systemClock } from '@databridge/kernel/time/clock';
import { every } from '@databridge/kernel/time/every';
import { NOTICE_EVENT_TYPE } from '@databridge/schemas/event/event-types';
import { NOTICES_TOPIC } from '@databridge/schemas/records/topics';
import { createApi } from './api/api.ts';
import type { Callers } from './api/auth/access.ts';
import { callersOf, OidcCallers } from './api/auth/oidc.ts';
import type { ControlPlaneConfig } from './config.ts';
import type { ControlPlaneContext } from './context.ts';
import { explainCustomer } from './explain/explain-customer.ts';
import { Assertions } from './forwarding/assertion.ts';
import { answerKeys, peerKeys } from './forwarding/peer-keys.ts';
import { AnswerSeal } from './idempotency/answer-seal.ts';
import { KeptAnswerTable } from './idempotency/kept-answers.ts';
import { SetUpPage } from './invitations/set-up-page.ts';
import { FleetReader } from './notices/fleet-facts.ts';
import { Notifier } from './notices/notifier.ts';
import { exportIsWriter } from './observe/api-metrics.ts';
import type { Expiring } from './observe/expiring-records.ts';
import { StateExport } from './observe/state-export.ts';
import { type Intake, intakeOf } from './operations/produce-event.ts';
import { OperationRunner } from './operations/runner.ts';
import { openPortal } from './portal/open-portal.ts';
import { KafkaSessionStore } from './portal/session-store.ts';
import { Sessions } from './portal/sessions.ts';
import { certificateRequests } from './subscriptions/client-certificate.ts';
import { dropOldFallbacks } from './subscriptions/old-fallbacks.ts';
import { SubscriptionTable } from './subscriptions/subscription-table.ts';
import { Writer } from './subscriptions/writer.ts';
import { forgetOld } from './upkeep/forget-old.ts';
import { tendRetention } from './upkeep/retention.ts';
import { AttemptView } from './views/attempts/attempt-view.ts';
import { LiveViews } from './views/live-views.ts';
import { eventRenderer } from './views/render-event.ts';

function registryOf(config: ControlPlaneConfig) {
  const { SCHEMA_REGISTRY_URL } = config;
  return SCHEMA_REGISTRY_URL === undefined ? undefined : registrySettings({ ...config, SCHEMA_REGISTRY_URL });
}

/** As long as the topic keeps them. */
const ATTEMPTS_BACK_MS = 7 * 86_400_000;

/** Starts the API, and the tasks that run at intervals. */
export async function startControlPlane(
  config: ControlPlaneConfig,
  log: Logger,
  registry: MetricsRegistry,
): Promise<Running> {
  const callers = callersBy(config, log);
  const kafka = { ...kafkaSettings(config, 'control-plane', log), registry };
  const admin = new KafkaAdmin(kafka);
  const producer = new KafkaProducer(kafka);
  const table = new SubscriptionTable(kafka);
  const schemas = registryOf(config);
  const events = eventRenderer(schemas, log);
  const desk = new SealingDesk(loadKeySet(config));
  const peers = peerKeys(desk);
  const erasures: ErasedTable = new ErasedTable(kafka, () => {
    attempts.eraseAttempts();
    views.forgetErased((event) => erasures.events.has(event));
  });
  const attempts = new AttemptView(
    kafka,
    {
      ...{ maxAttempts: config.MAX_ATTEMPTS, backMs: ATTEMPTS_BACK_MS },
      isErased: (attempt) => erasures.events.has(attempt),
    },
    systemClock.nowMs(),
  );
  const retryPlan = config.RETRY_PLAN;
  const views = new LiveViews(kafka, attempts, config);
  const sessionStore = new KafkaSessionStore(kafka, producer);
  const sessions = new Sessions(sessionStore, (id) => callers.callerById?.(id));
  const kept = new KeptAnswerTable(kafka, new AnswerSeal(answerKeys(desk)));
  const operations: ControlPlaneContext = {
    ...{ kafka, admin, producer },
    ...{ workerStatuses: views.workerStatuses, workers: views.workers },
    ...{ attemptCounts: views.attemptCounts, attemptSeries: views.attemptSeries },
    ...{ lastDelivered: views.lastDelivered, oldestWaiting: views.oldestWaiting },
    ...{ watermarks: views.watermarks, operations: views.operations },
    invitations: views.invitations,
    ...{ events, eventTypes: config.EVENT_TYPES.map(({ name }) => name) },
    ...{ erasures, intakeTopics: new Map(config.EVENT_TYPES.map(({ name, topic }) => [topic, name])) },
    subscriptions: () => table.read(),
    commit: () =>
      Promise.reject(
        new DatabridgeError('DB_NOT_THE_WRITER', 'This control plane is not the writer, so it makes no changes'),
      ),
    desk,
    sharedSettings: statedSettings(config),
    retryPlan,
    retryDelays: retryPlan.steps.map(({ delay }) => delay),
    egress: egressPolicy(config),
    ...(config.AWS_OWN_ACCOUNTS && { ownAwsAccounts: config.AWS_OWN_ACCOUNTS }),
    log,
  };
  await Promise.all([admin.connect(), producer.connect()]);
  await ensureSystemTopics(admin, []);
  await erasures.start();
  await Promise.all([attempts.start(), table.start(), views.start(), sessionStore.start(), kept.start()]);
  const writer: Writer = new Writer({
    ...{ kafka, admin, table, peers, sessionTimeoutMs: config.SESSION_TIMEOUT },
    onTerm: () =>
      void runner
        .takeUp()
        .catch((error) => log.error({ event: 'operation_failed', err: error }, 'operations not resumed')),
  });
  const runner = new OperationRunner(writer, operations);
  const intake = intakeOf(config.EVENT_TYPES, schemas);
  const page = new SetUpPage(config, log);
  const portal = openPortal(config, log);
  const api = await createApi({
    invitationLink: page.link,
    ...(portal && { portal }),
    ...{
      operations,
      attempts,
      events,
      callers: page.amongCallers(callers),
      sessions,
      writer,
      runner,
      kept,
      log,
      registry,
    },
    ...{ intake, retryPlan },
    facts: {
      ...(config.EGRESS_ADDRESSES && { egressAddresses: config.EGRESS_ADDRESSES }),
      ...(config.AWS_PRINCIPAL !== undefined && { awsPrincipal: config.AWS_PRINCIPAL }),
    },
    assertions: new Assertions(peers),
    limits: {
      maxFailures: config.API_MAX_FAILURES,
      perMinute: config.API_REQUESTS_PER_MINUTE,
      operatorPerMinute: config.API_OPERATOR_REQUESTS_PER_MINUTE,
      maxExpensive: config.API_MAX_EXPENSIVE,
      maxStreams: config.API_MAX_STREAMS,
      maxStreamsPerTenant: config.API_MAX_STREAMS_PER_TENANT,
    },
    doctor: {
      eventTypes: config.EVENT_TYPES,
      ...(schemas && { registry: new SchemaRegistry(schemas) }),
    },
    ...(config.API_TRUSTED_PROXIES && { trustedProxies: config.API_TRUSTED_PROXIES }),
  });
  const address = await api.listen({ host: config.API_HOST, port: config.API_PORT });
  log.info({ address, apiPort: Number(new URL(address).port) }, 'API listening');
  await writer.start(config.API_ADVERTISED_URL ?? advertised(address));
  exportIsWriter(() => writer.isOwner, registry);
  const state = new StateExport({
    ...{ context: operations, registry, everyMs: config.EXPORT_INTERVAL },
    intakeTopics: config.EVENT_TYPES.map(({ topic }) => topic),
    isWriter: () => writer.isOwner,
  });
  const notifier = notifierOf(config, operations, attempts, writer, intake, () => state.expiring);
  await notifier?.start();
  state.start();
  await page.open(api, desk);
  const tending = startTending({ operations, views, sessions, writer, kept }, config.RETENTION_INTERVAL);

  return {
    notReadyBecause: () => (attempts.isCaughtUp ? undefined : 'reading the attempts'),
    async stop() {
      runner.stop();
      await page.close();
      await api.close();
      // First what makes changes, for it reads the tables; each of those stops when its current fetch ends.
      await Promise.all([notifier?.stop(), writer.stop(), tending.stop(), state.stop()]);
      events.stop();
      await Promise.all([table, kept, erasures, views, sessionStore, attempts].map((reader) => reader.stop()));
      await producer.disconnect();
      await admin.disconnect();
    },
  };
}

/** Notices are events: without their type in EVENT_TYPES, nobody could subscribe to them. */
function notifierOf(
  config: ControlPlaneConfig,
  operations: ControlPlaneContext,
  attempts: AttemptView,
  writer: Writer,
  intake: Intake,
  expiring: () => Expiring,
): Notifier | undefined {
  const eventType = config.EVENT_TYPES.find(({ name }) => name === NOTICE_EVENT_TYPE);
  if (eventType === undefined) return undefined;
  if (config.SCHEMA_REGISTRY_URL === undefined || eventType.topic !== NOTICES_TOPIC) {
    throw new DatabridgeError(
      'DB_CONFIG_INVALID',
      `EVENT_TYPES has the event type "notice" with the topic "${eventType.topic}": it needs SCHEMA_REGISTRY_URL and the topic "${NOTICES_TOPIC}"`,
    );
  }
  const retryPlan = config.RETRY_PLAN;
  const explain = (customer: string) => explainCustomer({ ...operations, retryPlan }, attempts, customer);
  const fleet = new FleetReader(operations, explain, expiring);
  const { kafka, log } = operations;
  const facts = (nowMs: number) => fleet.read(nowMs);
  return new Notifier({ kafka, writer, intake, eventType, facts, everyMs: config.NOTICES_INTERVAL, log });
}

/** A wildcard address is no destination: then this machine's name is used. */
function advertised(address: string): string {
  const url = new URL(address);
  if (url.hostname === '0.0.0.0' || url.hostname === '[::]') url.hostname = hostname();
  return url.origin;
}

/** @throws {DatabridgeError} DB_CONFIG_INVALID */
function callersBy(config: ControlPlaneConfig, log: Logger): Callers {
  const { API_OIDC_ISSUER: issuer, API_OIDC_AUDIENCE: audience, API_OIDC_JWKS_URL: jwksUrl } = config;
  if ((issuer === undefined) !== (audience === undefined)) {
    throw new DatabridgeError(
      'DB_CONFIG_INVALID',
      'Set both API_OIDC_ISSUER and API_OIDC_AUDIENCE, or neither: without an audience, tokens for other services would be accepted',
    );
  }
  if (issuer === undefined || audience === undefined) return callersOf(loadTokens(config), undefined);
  const claims = { roleClaim: config.API_OIDC_ROLE_CLAIM, customerClaim: config.API_OIDC_CUSTOMER_CLAIM };
  const hasTokens = config.API_TOKENS !== undefined || config.API_TOKENS_FILE !== undefined;
  const oidc = new OidcCallers({ issuer, audience, jwksUrl, ...claims }, log);
  return callersOf(hasTokens ? loadTokens(config) : undefined, oidc);
}

/** @throws {DatabridgeError} DB_CONFIG_INVALID */
function loadTokens({ API_TOKENS: tokens, API_TOKENS_FILE: file }: ControlPlaneConfig): Tokens {
  if (tokens !== undefined && file === undefined) return new Tokens(tokens);
  if (file !== undefined && tokens === undefined) return new Tokens(readSetting('API_TOKENS_FILE', file));
  throw new DatabridgeError(
    'DB_CONFIG_INVALID',
    'Set one of API_TOKENS and API_TOKENS_FILE, or API_OIDC_ISSUER; "databridge tokens generate" makes a token and its line',
  );
}

interface Tended {
  readonly operations: ControlPlaneContext;
  readonly views: LiveViews;
  readonly sessions: Sessions;
  readonly writer: Writer;
  readonly kept: KeptAnswerTable;
}

function startTending(
  { operations, views, sessions, writer, kept }: Tended,
  everyMs: number,
): { stop(): Promise<void> } {
  let running: Promise<void> = Promise.resolve();
  const tend = async () => {
    views.forgetOthers(new Set((await operations.subscriptions()).keys()));
    if (!writer.isOwner) return;
    await sessions.forgetOld(systemClock.nowMs());
    await dropOldFallbacks(operations, writer, systemClock.nowMs());
    const requests = () => certificateRequests(operations);
    const forgotten = await forgetOld({ ...operations, kept, certificateRequests: requests }, systemClock.nowMs());
    const { operations: ended, workers, invitations, keyPairs } = forgotten;
    if (ended.length + workers.length + invitations.length + keyPairs.length > 0)
      operations.log.info(forgotten, 'expired records removed');
    const { longer, shorter } = await tendRetention(operations, systemClock.nowMs());
    if (longer.length + shorter.length > 0) operations.log.info({ longer, shorter }, 'retention changed');
  };
  const timer = every(everyMs, () => {
    running = running
      .then(tend)
      .catch((error: unknown) =>
        operations.log.warn(
          { event: 'upkeep_failed', err: error },
          `upkeep failed; it runs again in ${everyMs} ms: ${messageOf(error)}`,
        ),
      );
  });
  return {
    stop() {
      timer.cancel();
      return running;
    },
  };
}
