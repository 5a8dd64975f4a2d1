/** The services and the command line as child processes, as an operator would run them. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { COMPILE_CACHE, SERVICE_NODE_FLAGS } from '@databridge/kernel/settings/node-flags';

export type Environment = Readonly<Record<string, string | undefined>>;
/** A parsed log line of a service. */
export type LogLine = Readonly<Record<string, unknown>>;

const READY_WITHIN_MS = 60_000;
const endWithParent = import.meta.resolve('@databridge/local-platform/end-with-parent');
const commandLine = new URL('../../cli/bin/databridge.js', import.meta.url);

/** The children that have started and not yet ended. */
const running = new Set<Child>();

/** Ends every child that still runs, gracefully or at once. */
export async function stopChildren(how: 'gracefully' | 'at once' = 'gracefully'): Promise<void> {
  await Promise.all([...running].map((child) => (how === 'gracefully' ? child.stop() : child.kill())));
}

export interface ChildOptions {
  /** Receives each line that the child logs. */
  readonly onLine?: ((line: LogLine) => void) | undefined;
  /** Flags of its Node, such as `--cpu-prof`. */
  readonly nodeFlags?: readonly string[];
}

export class Child {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #lastLines: string[] = [];
  #adminUrl = '';
  #isEnding = false;

  constructor(name: string, main: URL, env: Environment, { onLine, nodeFlags = [] }: ChildOptions = {}) {
    this.name = name;
    this.#process = fork(main, [], {
      env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...env },
      execArgv: [...nodeFlags, '--import', endWithParent],
      // A group of its own: Ctrl-C reaches the demo alone, which then ends all in order.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    running.add(this);
    this.#exited = once(this.#process, 'exit').finally(() => running.delete(this));
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (stream) createInterface(stream).on('line', (text) => this.#read(text, onLine));
    }
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Resolves with the child's next message that `is` accepts. */
  async message<T>(is: (message: unknown) => message is T): Promise<T> {
    for (;;) {
      const [message] = (await Promise.race([once(this.#process, 'message'), this.#ended()])) as [unknown];
      if (is(message)) return message;
    }
  }

  send(message: object | string): void {
    this.#process.send(message);
  }

  /** Resolves when `/readyz` answers 200. */
  async ready(): Promise<this> {
    const deadlineMs = performance.now() + READY_WITHIN_MS;
    while (!(await this.#isReady())) {
      if (this.#process.exitCode !== null) await this.#ended();
      if (performance.now() > deadlineMs) throw this.#failure(`was not ready within ${READY_WITHIN_MS / 1_000} s`);
      await delay(50);
    }
    return this;
  }

  /** Returns the Prometheus text of `/metrics`; empty while it is not available. */
  async metrics(): Promise<string> {
    try {
      return await (await fetch(`${this.#adminUrl}/metrics`, { signal: AbortSignal.timeout(2_000) })).text();
    } catch {
      return '';
    }
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.#isEnding = true;
    this.#process.kill(signal);
    await this.#exited;
  }

  async #ended(): Promise<never> {
    await this.#exited;
    if (this.#isEnding) return await new Promise<never>(() => undefined);
    throw this.#failure(`ended unexpectedly (${this.#process.signalCode ?? `exit code ${this.#process.exitCode}`})`);
  }

  #failure(what: string): Error {
    return new Error(`${this.name} ${what}. Its last lines:\n${this.#lastLines.join('\n')}`);
  }

  #read(text: string, onLine: ((line: LogLine) => void) | undefined): void {
    this.#lastLines.push(text);
    if (this.#lastLines.length > 15) this.#lastLines.shift();
    const line = parseLine(text);
    if (line === undefined) return;
    if (typeof line['httpPort'] === 'number') this.#adminUrl = `http://127.0.0.1:${line['httpPort']}`;
    onLine?.(line);
  }

  async #isReady(): Promise<boolean> {
    if (this.#adminUrl === '') return false;
    try {
      const response = await fetch(`${this.#adminUrl}/readyz`, { signal: AbortSignal.timeout(2_000) });
      await response.arrayBuffer();
      return response.ok;
    } catch {
      return false;
    }
  }
}

function parseLine(text: string): LogLine | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as LogLine) : undefined;
  } catch {
    return undefined;
  }
}

/** @param env variables besides the platform's addresses */
export function startService(
  name: 'fan-out' | 'delivery' | 'control-plane',
  env: Environment,
  onLine?: (line: LogLine) => void,
): Promise<Child> {
  const main = new URL(`../../${name}/src/main.ts`, import.meta.url);
  const options = { onLine, nodeFlags: SERVICE_NODE_FLAGS };
  return new Child(name, main, { ...env, HTTP_HOST: '127.0.0.1', HTTP_PORT: '0' }, options).ready();
}

/** Runs `databridge …`. @returns its output @throws Error with the text of standard error if it fails */
export async function databridge(args: readonly string[], env: Environment, input = ''): Promise<string> {
  const child = spawn(process.execPath, [commandLine.pathname, ...args], {
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const output: string[] = [];
  const errors: string[] = [];
  child.stdout.on('data', (chunk) => output.push(String(chunk)));
  child.stderr.on('data', (chunk) => errors.push(String(chunk)));
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  // 1 may also say "done, but not all is well": what was printed then tells what.
  if (code === 0 || (code === 1 && output.length > 0)) return output.join('');
  throw new Error(`databridge ${args.join(' ')} failed: ${errors.join('').trim() || `exit code ${code}`}`);
}

/** Applies a subscriptions file. @returns the result for each customer, without the preceding list of changes */
export async function applyYaml(yaml: string, env: Environment): Promise<string> {
  const printed = await databridge(['apply', '-f', '-', '--yes'], env, yaml);
  return printed.slice(printed.indexOf('CUSTOMER ')).trimEnd();
}
