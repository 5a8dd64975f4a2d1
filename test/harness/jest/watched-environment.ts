/**
 * Jest's environment for tests with a platform: a file that leaves sockets, servers, child processes or timers behind
 * names them, and fails if the project's option `leaks` is `fail`. Otherwise they add up in the worker process, which
 * then has to be killed at the end of the run.
 */
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '@jest/types';
import SharedEnvironment from './shared-environment.ts';

/** What is closed in a test's last statement takes a moment to be gone. */
const GONE_WITHIN_MS = 5_000;
const POLL_MS = 20;
/** Each keeps the process running. Pipes are those of the worker's own channel, and of child processes. */
const WATCHED: ReadonlySet<string> = new Set([
  'TCPSocketWrap',
  'TCPServerWrap',
  'TLSWrap',
  'ProcessWrap',
  'Timeout',
  'Immediate',
  'FSEventWrap',
  'UDPWrap',
]);

export default class WatchedEnvironment extends SharedEnvironment {
  readonly #before = activeByType();
  readonly #file: string;
  readonly #fails: boolean;

  constructor(config: { readonly projectConfig: Config.ProjectConfig }, context: { readonly testPath: string }) {
    super(config, context);
    this.#file = context.testPath;
    this.#fails = config.projectConfig.testEnvironmentOptions['leaks'] === 'fail';
  }

  override async teardown(): Promise<void> {
    await super.teardown();
    const deadlineMs = performance.now() + GONE_WITHIN_MS;
    while (this.#left().length > 0 && performance.now() < deadlineMs) await delay(POLL_MS);
    const left = this.#left();
    if (left.length === 0) return;
    const message = `The test file left open: ${left.join(', ')}${describeSockets()}. End what it started in afterEach or afterAll.`;
    if (this.#fails) throw new Error(message);
    process.stderr.write(`${this.#file}: ${message}\n`);
  }

  #left(): string[] {
    return [...activeByType()].flatMap(([type, count]) => {
      const more = count - (this.#before.get(type) ?? 0);
      return more > 0 ? [`${more} ${type}`] : [];
    });
  }
}

function activeByType(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const type of process.getActiveResourcesInfo()) {
    if (WATCHED.has(type)) counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return counts;
}

/** The ends of open connections tell what they were for. */
function describeSockets(): string {
  const handles = (process as unknown as { _getActiveHandles(): Partial<Socket>[] })._getActiveHandles();
  const ends = handles.flatMap(({ localPort, remotePort }) =>
    remotePort === undefined ? [] : [`${localPort} to ${remotePort}`],
  );
  return ends.length === 0 ? '' : ` (connections between ports ${ends.join(', ')})`;
}
