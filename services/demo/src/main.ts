/**
 * `npm run demo`: runs a local platform and the real services for three customers, proves that none of 300 events is
 * lost, and measures the throughput of one worker. The exit code is 0 only if every event is accounted for. Nothing
 * keeps running, and no data stays.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { styleText } from 'node:util';
import { LOOPBACK_EGRESS } from '@databridge/kernel/egress/egress-settings';
import { messageOf } from '@databridge/kernel/errors';
import { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import { createLogger } from '@databridge/kernel/log';
import { generateKeySet } from '@databridge/kernel/secrets/key-set';
import { Tokens } from '@databridge/kernel/secrets/tokens';
import { freePorts } from '@databridge/local-platform/free-port';
import { terminalProgress } from '@databridge/local-platform/jvm/fetch-progress';
import { startLocalPlatform } from '@databridge/local-platform/local-platform';
import { prepareKafka } from '@databridge/local-platform/own-platform';
import type { Platform } from '@databridge/local-platform/platform';
import { signInLink } from '@databridge/local-platform/sign-in-link';
import { builtPortal } from '@databridge/portal/build/build';
import { applyYaml, type Environment, startService, stopChildren } from './child.ts';
import {
  BULK_CUSTOMER,
  CAST,
  EVENT_TYPE,
  INTAKE_TOPIC,
  RETRY_PLAN,
  RETRY_WINDOW,
  secretVariable,
  subscriptionsYaml,
} from './customers/cast.ts';
import { isAttempt, runLive, startEndpoints } from './live/live-run.ts';
import { liveView } from './live/live-view.ts';
import { indent, type StatusLine, say, sayTitle, step } from './live/say.ts';
import { NOTICES, operatorsYaml, showNotices, startOperatorsEndpoint } from './notices.ts';
import type { Stage } from './stage.ts';
import { STEPS, TITLES, VERDICTS } from './texts.ts';
import { measureThroughput } from './throughput.ts';
import { Upstream } from './upstream.ts';
import { accountsOf, addsUp, printSettlement, settleBooks } from './verdict.ts';

/** The clean-up steps at the end, in reverse order. */
const undo: (() => Promise<void>)[] = [];
let isEnding = false;

async function demo(): Promise<boolean> {
  const startedAtMs = performance.now();
  sayTitle(TITLES.start);
  const platform = await step(STEPS.platform, startPlatform);
  const [endpoints, operators] = await Promise.all([startEndpoints(), startOperatorsEndpoint()]);
  undo.push(
    () => endpoints.stop(),
    () => operators.stop(),
  );
  const stage = await setStage(platform);

  const portal = await step(STEPS.portal, builtPortal);
  const controlPlane = await step(STEPS.controlPlane, async () => {
    await prepareKafka(platform.brokers, EVENT_TYPES);
    return await startService('control-plane', {
      ...stage.env,
      DATABRIDGE_KEYS: stage.keys.controlPlane,
      PORTAL_DIR: portal,
    });
  });
  const applied = await step(STEPS.applied, () =>
    applyYaml(`${subscriptionsYaml(endpoints)}\n${operatorsYaml(operators)}`, stage.env),
  );
  say(styleText('dim', indent(indent(applied))));
  const { DATABRIDGE_URL: url = '', DATABRIDGE_TOKEN: token = '' } = stage.env;
  say(`  The portal is at ${url}/portal/ while this runs. Sign in once by`);
  say(`  ${await signInLink(url, token)}`);

  const view = liveView(process.stdout);
  undo.push(async () => view.end());
  const [fanOut, delivery] = await step(STEPS.services, () =>
    Promise.all([
      startService('fan-out', stage.env),
      // At this level delivery logs each attempt, the successful ones too.
      startService(
        'delivery',
        { ...stage.env, DATABRIDGE_KEYS: stage.keys.delivery, LOG_LEVEL: 'debug' },
        (line) => isAttempt(line) && view.attempt(line),
      ),
    ]),
  );

  sayTitle(TITLES.live);
  const { produced, last } = await runLive(stage, { fanOut, delivery }, view);
  view.end();

  sayTitle(TITLES.books);
  const seen = { produced, unmatchedCount: last.unmatched, accepted: endpoints.accepted() };
  const settlement = await settleBooks(stage, seen);
  printSettlement(settlement);

  sayTitle(TITLES.notices);
  await showNotices(stage, operators);

  sayTitle(TITLES.throughput);
  const speed = await measureThroughput(stage, { delivery, controlPlane });
  await step(STEPS.again, () =>
    startService('control-plane', { ...stage.env, DATABRIDGE_KEYS: stage.keys.controlPlane, PORTAL_DIR: portal }),
  );
  const [bulk] = await accountsOf([BULK_CUSTOMER.customer], stage.env);
  const fates = Object.values(bulk?.events ?? {});
  const isAllDelivered = fates.length === BULK_CUSTOMER.events && fates.every((fate) => fate === 'delivered');
  say(
    `\n  ${styleText('bold', `${Math.round(speed.perSecond).toLocaleString('en')} deliveries a second`)}: ` +
      `${speed.deliveries.toLocaleString('en')} in ${speed.seconds.toFixed(1)} s, ${speed.repeats} repeated, ` +
      `${Math.round(speed.cpuMicrosEach)} µs of CPU each, peak memory ${Math.round(speed.peakRssMiB)} MiB`,
  );
  say(
    isAllDelivered
      ? `  ${styleText('green', `✔ ${VERDICTS.allDelivered}`)}`
      : `  ${styleText('red', `✘ ${fates.filter((fate) => fate !== 'delivered').length} of ${fates.length} not delivered`)}`,
  );
  say(`\n  ${styleText('dim', `${((performance.now() - startedAtMs) / 1_000).toFixed(0)} s in all`)}`);
  if (process.argv.includes('--stay')) await stay(stage);
  return addsUp(settlement) && isAllDelivered;
}

/** Keeps everything running until Ctrl-C. */
async function stay({ env }: Stage): Promise<never> {
  const { DATABRIDGE_URL: url = '', DATABRIDGE_TOKEN: token = '' } = env;
  say(`  It goes on until Ctrl-C; another sign-in link: ${await signInLink(url, token)}`);
  return await new Promise<never>(() => undefined);
}

async function startPlatform(status: StatusLine): Promise<Platform> {
  const progress = terminalProgress();
  const platform = await startLocalPlatform({
    progress: {
      ...progress,
      start(title, expectedBytes) {
        status.clear();
        progress.start(title, expectedBytes);
      },
    },
    onFailure: (error) => void end(1, messageOf(error)),
  });
  undo.push(() => platform.stop());
  return platform;
}

const EVENT_TYPES = `${EVENT_TYPE}=${INTAKE_TOPIC},${NOTICES}`;

async function setStage({ brokers, registryUrl }: Platform): Promise<Stage> {
  const log = createLogger('demo', 'silent');
  const kafka = { brokers, clientId: 'demo', log };
  const secrets = CAST.map(({ customer }) => [secretVariable(customer), randomBytes(16).toString('hex')]);
  const operator = Tokens.generate('demo', 'operator');
  const [apiPort] = await freePorts(1);
  const env: Environment = {
    KAFKA_BROKERS: brokers.join(),
    SCHEMA_REGISTRY_URL: registryUrl,
    EVENT_TYPES,
    RETRY_PLAN,
    RETRY_WINDOW,
    BREAKER_RESET: '5s',
    NOTICES_INTERVAL: '1s',
    // The customers' endpoints are on this machine.
    ...LOOPBACK_EGRESS,
    API_PORT: String(apiPort),
    API_TOKENS: operator.line,
    DATABRIDGE_URL: `http://127.0.0.1:${apiPort}`,
    DATABRIDGE_TOKEN: operator.token,
    ...Object.fromEntries(secrets),
  };
  const admin = new KafkaAdmin(kafka);
  const upstream = new Upstream(kafka, registryUrl);
  undo.push(
    () => admin.disconnect(),
    () => upstream.stop(),
    () => stopChildren(),
  );
  await Promise.all([admin.connect(), upstream.start()]);
  return { kafka, admin, upstream, env, keys: generateKeySet('demo') };
}

const END_WITHIN_MS = 20_000;

async function end(exitCode: number, why?: string): Promise<void> {
  // A second Ctrl-C: whatever still runs ends with this process.
  if (isEnding) process.exit(1);
  isEnding = true;
  const giveUp = delay(END_WITHIN_MS, undefined, { ref: false });
  for (const one of undo.reverse()) await Promise.race([one().catch(() => undefined), giveUp]);
  if (why !== undefined) say(`\n  ${styleText('red', `✘ ${why}`)}`);
  process.exit(exitCode);
}

/** npm passes Ctrl-C on, so one press can send two signals: this one and the terminal's. */
const SAME_PRESS_MS = 500;
let signalledAtMs = Number.NEGATIVE_INFINITY;

function onSignal(): void {
  const sinceLastMs = performance.now() - signalledAtMs;
  signalledAtMs = performance.now();
  if (sinceLastMs > SAME_PRESS_MS) void end(130, 'interrupted');
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
process.on('uncaughtException', (error) => void end(1, messageOf(error)));

try {
  const isWell = await demo();
  await end(isWell ? 0 : 1);
} catch (error) {
  if (!isEnding) await end(1, messageOf(error));
}
