import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { platform } from '../platform.ts';
import { launchService, type ServiceName } from './launch-service.ts';

/** A line that the service logged. */
export type LogLine = Record<string, unknown> & { level: string; msg: string; time: string };

let workers = 0;

const READY_TIMEOUT_MS = 60_000;

/** A service as a real process. Killed at the end of the test file at the latest. */
export interface ServiceProcess {
  readonly name: ServiceName;
  readonly pid: number;
  /** Where `/readyz` and `/metrics` are. */
  readonly adminUrl: string;
  readonly logs: readonly LogLine[];
  /** Lines that are not JSON, such as a crash's stack. */
  readonly otherOutput: readonly string[];
  /** Exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /** The first line logged, before or from now on, that `matches` accepts. @throws Error after `timeoutMs` */
  waitForLog(matches: (line: LogLine) => boolean, timeoutMs?: number): Promise<LogLine>;
  /** Resolves when `/readyz` answers 200. */
  waitUntilReady(timeoutMs?: number): Promise<void>;
  /** The Prometheus text of `/metrics`. */
  metrics(): Promise<string>;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<number | NodeJS.Signals>;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<number | NodeJS.Signals>;
  /** SIGSTOP: the process stands still, its connections stay open. */
  freeze(): void;
  /** SIGCONT */
  thaw(): void;
}

/**
 * Starts the service against this worker's platform and waits until it is ready.
 * @param env added to the platform's addresses and a free HTTP_PORT; nothing else of this process's environment is seen
 */
export async function startService(name: ServiceName, env: Record<string, string> = {}): Promise<ServiceProcess> {
  const service = await spawnService(name, env);
  await service.waitUntilReady();
  return service;
}

/** As `startService`, but returns as soon as the admin port is open: for services that can't become ready yet. */
export async function spawnService(name: ServiceName, env: Record<string, string> = {}): Promise<ServiceProcess> {
  const { brokers, registryUrl } = platform();
  const child = await launchService(name, {
    KAFKA_BROKERS: brokers.join(','),
    SCHEMA_REGISTRY_URL: registryUrl,
    HTTP_HOST: '127.0.0.1',
    HTTP_PORT: '0',
    // Several workers of one host must have names of their own.
    ...(name === 'delivery' && { WORKER_NAME: `worker-${process.pid}-${++workers}` }),
    ...env,
  });

  const logs: LogLine[] = [];
  const otherOutput: string[] = [];
  const listeners = new Set<(line: LogLine) => void>();
  const read = (text: string) => {
    const line = parseLine(text);
    if (!line) {
      otherOutput.push(text);
      return;
    }
    logs.push(line);
    for (const listener of listeners) listener(line);
  };
  for (const stream of child.output) createInterface(stream).on('line', read);

  let ended: number | NodeJS.Signals | undefined;
  const exited = child.exited.then((how) => {
    ended = how;
    running.delete(service);
    return how;
  });
  const lastWords = () =>
    [
      ...logs.filter(({ level }) => level !== 'debug' && level !== 'trace').map((line) => JSON.stringify(line)),
      ...otherOutput,
    ]
      .slice(-20)
      .map((line) => line.slice(0, 1_000))
      .join('\n');
  let adminUrl = '';

  const service: ServiceProcess = {
    name,
    pid: child.pid,
    get adminUrl() {
      return adminUrl;
    },
    logs,
    otherOutput,
    exited,
    async waitForLog(matches, timeoutMs = READY_TIMEOUT_MS) {
      const known = logs.find(matches);
      if (known) return known;
      return new Promise((resolve, reject) => {
        const done = () => {
          clearTimeout(timer);
          listeners.delete(listener);
        };
        const listener = (line: LogLine) => {
          if (!matches(line)) return;
          done();
          resolve(line);
        };
        const fail = (why: string) => {
          done();
          reject(new Error(`${name}: ${why}. Its last lines:\n${lastWords()}`));
        };
        const timer = setTimeout(fail, timeoutMs, `no such log line within ${timeoutMs} ms`);
        listeners.add(listener);
        void exited.then((how) => fail(`ended (${how}) before it logged that`));
      });
    },
    async waitUntilReady(timeoutMs = READY_TIMEOUT_MS) {
      const deadlineMs = performance.now() + timeoutMs;
      while (!(await answersReady(adminUrl))) {
        if (ended !== undefined) {
          throw new Error(`${name} ended (${ended}) before it was ready. Its last lines:\n${lastWords()}`);
        }
        if (performance.now() > deadlineMs) {
          throw new Error(`${name} was not ready within ${timeoutMs} ms. Its last lines:\n${lastWords()}`);
        }
        await delay(50);
      }
    },
    async metrics() {
      return (await fetch(`${adminUrl}/metrics`)).text();
    },
    stop() {
      child.signal('SIGCONT');
      child.signal('SIGTERM');
      return exited;
    },
    kill() {
      child.signal('SIGKILL');
      return exited;
    },
    freeze() {
      child.signal('SIGSTOP');
    },
    thaw() {
      child.signal('SIGCONT');
    },
  };
  running.add(service);

  const starting = await service.waitForLog((line) => typeof line['httpPort'] === 'number');
  adminUrl = `http://127.0.0.1:${starting['httpPort']}`;
  return service;
}

const running = new Set<ServiceProcess>();

afterAll(async () => {
  await Promise.all([...running].map((service) => service.kill()));
});

function parseLine(text: string): LogLine | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as LogLine) : undefined;
  } catch {
    return undefined;
  }
}

async function answersReady(adminUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${adminUrl}/readyz`, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
