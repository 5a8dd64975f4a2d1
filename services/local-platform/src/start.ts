/**
 * `npm start`: runs the services until Ctrl-C, with a local Kafka and registry unless the settings name others. It
 * stops them in reverse order: the services finish requests in flight while Kafka still runs. With `--watch` (`npm run
 * dev`), a service whose source changes is restarted.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LOOPBACK_EGRESS } from '@databridge/kernel/egress/egress-settings';
import { DatabridgeError, messageOf } from '@databridge/kernel/errors';
import { builtPortal } from '@databridge/portal/build/build';
import { choosePorts } from './choose-ports.ts';
import { terminalProgress } from './jvm/fetch-progress.ts';
import { startLocalPlatform } from './local-platform.ts';
import { ensureKeyFiles, ensureTokenFile, type KeyFiles, prepareKafka } from './own-platform.ts';
import type { Platform } from './platform.ts';
import { PORTS, type PortSetting, readStartConfig } from './platform-config.ts';
import { signInLink } from './sign-in-link.ts';
import { Supervised } from './supervisor.ts';
import { watchSource } from './watch-source.ts';

const SERVICES = ['fan-out', 'delivery', 'control-plane'] as const;
type Service = (typeof SERVICES)[number];
const ADMIN_PORTS = {
  'fan-out': 'FAN_OUT_HTTP_PORT',
  delivery: 'DELIVERY_HTTP_PORT',
  'control-plane': 'CONTROL_PLANE_HTTP_PORT',
} as const satisfies Record<Service, PortSetting>;
const NAME_WIDTH = Math.max(...SERVICES.map((name) => name.length), 'platform'.length);

/** npm passes Ctrl-C on, so one press can send two signals: this one and the terminal's. */
const SAME_PRESS_MS = 500;
/** Without Kafka, services can't finish anything: they only close their connections. */
const GRACE_WITHOUT_KAFKA_MS = 5_000;
/** This is long enough to leave consumer groups, so that the next start need not wait for a session timeout. */
const GRACE_OF_REPLACED_MS = 1_000;

const isWatching = process.argv.includes('--watch');
let platform: Platform | undefined;
let source: { close(): void } | undefined;
const services = new Map<Service, Supervised>();
let isEnding = false;
let signalledAtMs = Number.NEGATIVE_INFINITY;

function say(name: string, line: string): void {
  process.stdout.write(`${name.padEnd(NAME_WIDTH)} | ${line}\n`);
}

/** @param reason why it ends, for the last line; undefined: a user asked for it */
async function end(reason: string | undefined, graceMs?: number): Promise<void> {
  if (isEnding) {
    say('platform', 'ending at once');
    for (const service of services.values()) service.kill();
    // Everything that is still open closes with this process, and that ends Kafka and the registry.
    process.exit(1);
  }
  isEnding = true;
  source?.close();
  say(
    'platform',
    `${reason === undefined ? '' : `${reason.replace(/\.$/, '')}. `}Stopping; press Ctrl-C once more to end at once`,
  );
  await Promise.all([...services.values()].map((service) => service.stop(graceMs)));
  await platform?.stop();
  say('platform', reason === undefined ? 'stopped' : `stopped, because ${reason}`);
  process.exit(reason === undefined ? 0 : 1);
}

function fail(error: unknown): void {
  const isOfPlatform = error instanceof DatabridgeError && error.code === 'DB_PLATFORM_ENDED';
  const reason = error instanceof DatabridgeError ? `${error.code}: ${error.message}` : messageOf(error);
  if (isEnding) {
    say('platform', reason);
    process.exit(1);
  }
  void end(reason, isOfPlatform ? GRACE_WITHOUT_KAFKA_MS : undefined).catch(fail);
}

function onSignal(): void {
  const sinceLastMs = performance.now() - signalledAtMs;
  signalledAtMs = performance.now();
  if (sinceLastMs > SAME_PRESS_MS) void end(undefined).catch(fail);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

async function start(): Promise<void> {
  const config = readStartConfig(process.env);
  const { brokers, registryUrl, dataDir, eventTypes, hasKeys, hasTokens, apiHost } = config;
  const isOwn = brokers === undefined && registryUrl === undefined;
  const names = (Object.keys(PORTS) as PortSetting[]).filter((name) => isOwn || !name.startsWith('LOCAL_'));
  const ports = await choosePorts(names, config.ports, (sentence) => say('platform', sentence));
  if (isOwn) say('platform', `starting Kafka and the schema registry; their data are in ${dataDir}`);
  platform = await startLocalPlatform({
    ...{ brokers, registryUrl, dataDir, progress: terminalProgress(), onFailure: fail },
    ports: isOwn ? { kafka: ports.LOCAL_KAFKA_PORT, registry: ports.LOCAL_REGISTRY_PORT } : undefined,
  });
  if (isEnding) return platform.stop();
  let keyFiles: KeyFiles | undefined;
  const addresses = { KAFKA_BROKERS: platform.brokers.join(','), SCHEMA_REGISTRY_URL: platform.registryUrl };
  const settings: Record<string, string> = {
    ...{ ...addresses, API_PORT: String(ports.API_PORT), INTAKE_PORT: String(ports.INTAKE_PORT) },
    PORTAL_DIR: process.env['PORTAL_DIR'] ?? (await builtPortal()),
  };
  if (isOwn) {
    await prepareKafka(platform.brokers, eventTypes);
    settings['EVENT_TYPES'] = eventTypes;
    if (!hasKeys) keyFiles = await ensureKeyFiles(dataDir);
    // A Kafka of one's own is for trying things out, and the endpoints for that are on this machine.
    for (const [name, value] of Object.entries(LOOPBACK_EGRESS)) settings[name] = process.env[name] ?? value;
    if (isEnding) return;
  }
  const exports: Record<string, string> = { ...addresses, DATABRIDGE_URL: `http://${apiHost}:${ports.API_PORT}` };
  let token: string | undefined;
  if (!hasTokens) {
    const { file, line, ...own } = await ensureTokenFile(dataDir);
    token = own.token;
    settings['API_TOKENS'] = line;
    // Not the token itself: other people see what a terminal shows.
    exports['DATABRIDGE_TOKEN'] = `"$(cat '${file}')"`;
  }

  await buildPages();
  for (const name of SERVICES) {
    const port = ports[ADMIN_PORTS[name]];
    // On a Kafka of its own it is the only control plane; on another's, one that runs elsewhere may be the writer.
    const isReady = isOwn && name === 'control-plane' ? () => isWriter(port) : () => answersReady(port);
    startService(name, port, { ...settings, ...keySettings(name, keyFiles) }, isReady);
  }
  if (isWatching) watchServices();
  await Promise.all([...services.values()].map(({ ready }) => (isWatching ? ready.catch(sayFailure) : ready)));
  if (isEnding) return;

  say('platform', `set-up page for customers: http://127.0.0.1:${ports.INTAKE_PORT}; "databridge invite" makes a link`);
  say('platform', 'for databridge and producers in another terminal:');
  for (const [name, value] of Object.entries(exports)) say('platform', `  export ${name}=${value}`);
  say('platform', `portal: ${exports['DATABRIDGE_URL']}/portal/`);
  if (token !== undefined) {
    say('platform', `  sign in once, within ten minutes: ${await signInLink(exports['DATABRIDGE_URL'] ?? '', token)}`);
  }
  const admin = SERVICES.map((name) => `${name} http://127.0.0.1:${ports[ADMIN_PORTS[name]]}`);
  say('platform', `metrics and health: ${admin.join(', ')}`);
  say('platform', 'ready; Ctrl-C stops it');
}

/** Builds the pages for browsers, the only part that needs a build: it takes a fraction of a second. */
async function buildPages(): Promise<void> {
  await promisify(execFile)(process.execPath, [fileURLToPath(new URL('../../intake-page/build.ts', import.meta.url))]);
}

function keySettings(name: Service, files: KeyFiles | undefined): Record<string, string> {
  if (files === undefined || name === 'fan-out') return {};
  return { DATABRIDGE_KEYS_FILE: name === 'delivery' ? files.delivery : files.controlPlane };
}

const answersReady = async (httpPort: number) => (await fetch(`http://127.0.0.1:${httpPort}/readyz`)).ok;

/** A control plane answers reads before it is the writer; waiting spares the first change that delay. */
async function isWriter(httpPort: number): Promise<boolean> {
  if (!(await answersReady(httpPort))) return false;
  const metrics = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text();
  return /^databridge_control_plane_is_writer(?:\{.*\})? 1$/m.test(metrics);
}

function startService(
  name: Service,
  httpPort: number,
  settings: Readonly<Record<string, string>>,
  isReady: () => Promise<boolean>,
): void {
  const service = new Supervised({
    name,
    main: new URL(`../../${name}/src/main.ts`, import.meta.url),
    env: { ...process.env, ...settings, HTTP_PORT: String(httpPort) },
    isReady,
    onLine: (line) => say(name, line),
    hasSpare: isWatching,
  });
  services.set(name, service);
  service.start();
}

/** During development, a service that fails to start is started again after the next change of its source. */
const sayFailure = (error: unknown) => say('platform', messageOf(error));

function watchServices(): void {
  source = watchSource(SERVICES, (changed, file) => {
    say('platform', `${file} changed: restarting ${changed.join(', ')}`);
    for (const name of changed) services.get(name)?.replace(GRACE_OF_REPLACED_MS);
  });
}

start().catch(fail);
