/**
 * `npm start`: the services, and a Kafka and registry of their own unless there are some to use, until Ctrl-C.
 * Ends in the reverse order: the services finish what is in flight while Kafka still runs.
 */
import { LOOPBACK_EGRESS } from '@databridge/kernel/egress/egress-settings';
import { DatabridgeError, messageOf } from '@databridge/kernel/errors';
import { terminalProgress } from './jvm/fetch-progress.ts';
import { startLocalPlatform } from './local-platform.ts';
import { createIntakeTopics, ensureKeyFile, ensureTokenFile } from './own-platform.ts';
import type { Platform } from './platform.ts';
import { readStartConfig } from './platform-config.ts';
import { Supervised } from './supervisor.ts';

const SERVICES = ['fan-out', 'delivery', 'control-plane'] as const;
const NAME_WIDTH = Math.max(...SERVICES.map((name) => name.length), 'platform'.length);

let platform: Platform | undefined;
const services: Supervised[] = [];
let isEnding = false;
let signalledAtMs = Number.NEGATIVE_INFINITY;

/** One Ctrl-C comes twice under npm: from the terminal, and passed on. */
const SAME_PRESS_MS = 500;

function say(name: string, line: string): void {
  process.stdout.write(`${name.padEnd(NAME_WIDTH)} | ${line}\n`);
}

async function end(exitCode: number): Promise<void> {
  if (isEnding) {
    say('platform', 'ending at once');
    for (const service of services) service.kill();
    // What is still open closes with this process, and that ends Kafka and the registry.
    process.exit(1);
  }
  isEnding = true;
  say('platform', 'stopping; once more to end at once');
  await Promise.all(services.map((service) => service.stop()));
  await platform?.stop();
  say('platform', 'stopped');
  process.exit(exitCode);
}

function fail(error: unknown): void {
  say('platform', error instanceof DatabridgeError ? `${error.code}: ${error.message}` : messageOf(error));
  if (isEnding) process.exit(1);
  void end(1);
}

function onSignal(): void {
  const sinceLastMs = performance.now() - signalledAtMs;
  signalledAtMs = performance.now();
  if (sinceLastMs > SAME_PRESS_MS) void end(0).catch(fail);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

async function start(): Promise<void> {
  const config = readStartConfig(process.env);
  const { brokers, registryUrl, dataDir, eventTypes, hasKeys, hasTokens, apiUrl, httpPorts } = config;
  if (!brokers) say('platform', `starting Kafka and the schema registry; their data: ${dataDir}`);
  const options = { brokers, registryUrl, dataDir, progress: terminalProgress(), onFailure: fail };
  platform = await startLocalPlatform(options);
  if (isEnding) return platform.stop();
  const settings: Record<string, string> = {
    KAFKA_BROKERS: platform.brokers.join(','),
    SCHEMA_REGISTRY_URL: platform.registryUrl,
  };
  if (!brokers) {
    await createIntakeTopics(platform.brokers, eventTypes);
    if (!hasKeys) settings['DATABRIDGE_KEYS_FILE'] = await ensureKeyFile(dataDir);
    // A Kafka of one's own is for trying things out, and the endpoints for that are on this machine.
    for (const [name, value] of Object.entries(LOOPBACK_EGRESS)) settings[name] = process.env[name] ?? value;
    if (isEnding) return;
  }
  say('platform', 'for databridge and producers in another terminal:');
  const others: Record<string, string> = {
    KAFKA_BROKERS: platform.brokers.join(','),
    SCHEMA_REGISTRY_URL: platform.registryUrl,
    DATABRIDGE_URL: apiUrl,
  };
  if (!hasTokens) {
    const { file, line } = await ensureTokenFile(dataDir);
    settings['API_TOKENS'] = line;
    // Not the token itself: what a terminal shows, others see.
    others['DATABRIDGE_TOKEN'] = `"$(cat '${file}')"`;
  }
  for (const [name, value] of Object.entries(others)) say('platform', `  export ${name}=${value}`);

  for (const name of SERVICES) {
    const service = new Supervised({
      name,
      main: new URL(`../../${name}/src/main.ts`, import.meta.url),
      env: { ...process.env, ...settings, HTTP_PORT: httpPorts[name] },
      onLine: (line) => say(name, line),
    });
    services.push(service);
    service.start();
  }
}

start().catch(fail);
