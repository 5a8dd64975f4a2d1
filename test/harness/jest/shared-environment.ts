/**
 * Jest's environment for all tests: the globals of the worker process itself, and no context of its own for each file.
 * See shared-runtime.ts.
 */
import { ModernFakeTimers } from '@jest/fake-timers';
import type { Config } from '@jest/types';
import { ModuleMocker } from 'jest-mock';

/** Jest takes the time-out of a file's tests, in ms, from the global property of this name. */
export const TIMEOUT_OF_TESTS = Symbol.for('TEST_TIMEOUT_SYMBOL');

export default class SharedEnvironment {
  readonly global = globalThis;
  readonly moduleMocker = new ModuleMocker(globalThis);
  readonly fakeTimers = null;
  readonly fakeTimersModern: ModernFakeTimers;
  readonly #globals: Config.ConfigGlobals;
  readonly #console = globalThis.console;
  readonly #exit = process.exit;
  readonly #exitCode = process.exitCode;
  readonly #environment = { ...process.env };

  constructor({ projectConfig }: { readonly projectConfig: Config.ProjectConfig }, _context: unknown) {
    this.fakeTimersModern = new ModernFakeTimers({ config: projectConfig, global: globalThis });
    this.#globals = projectConfig.globals;
  }

  async setup(): Promise<void> {
    Object.assign(globalThis, this.#globals);
  }

  /** Takes back what jest or the file changed in the process, so that the next file finds it as this one did. */
  async teardown(): Promise<void> {
    this.fakeTimersModern.dispose();
    this.moduleMocker.restoreAllMocks();
    globalThis.console = this.#console;
    process.exit = this.#exit;
    process.exitCode = this.#exitCode;
    for (const name of [...Object.keys(this.#globals), TIMEOUT_OF_TESTS]) Reflect.deleteProperty(globalThis, name);
    for (const name of Object.keys(process.env)) if (!(name in this.#environment)) delete process.env[name];
    Object.assign(process.env, this.#environment);
  }

  exportConditions(): string[] {
    return ['node', 'node-addons'];
  }

  getVmContext(): null {
    return null;
  }
}
