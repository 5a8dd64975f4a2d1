/**
 * Jest's module loader for unit tests: Node's own. By default jest compiles and links all modules anew for each test
 * file, its own `expect` included, which took more processor time than the tests. Here the files that a worker process
 * runs share its modules, as the services' processes do, and Node runs the TypeScript as it is. So a test must not depend
 * on the state of a module that another file may have changed, and jest cannot mock modules.
 */
import { createRequire, enableCompileCache } from 'node:module';
import { pathToFileURL } from 'node:url';
import type SharedEnvironment from './shared-environment.ts';

enableCompileCache();
const require = createRequire(import.meta.url);

/** jest-circus keeps the tests of a file in properties of the global object by these symbols. */
const isCircusState = (symbol: symbol) =>
  symbol.description === 'JEST_STATE_SYMBOL' || symbol.description === 'EVENT_HANDLERS';

/** How often a file was loaded by this process: a file that is run again, by `--watch`, must be loaded again. */
const loads = new Map<string, number>();

export default class SharedRuntime {
  constructor(_config: unknown, environment: SharedEnvironment) {
    const { fakeTimersModern: timers, moduleMocker } = environment;
    Object.assign(globalThis, {
      jest: {
        fn: moduleMocker.fn.bind(moduleMocker),
        spyOn: moduleMocker.spyOn.bind(moduleMocker),
        restoreAllMocks: () => moduleMocker.restoreAllMocks(),
        useFakeTimers: (config?: Parameters<typeof timers.useFakeTimers>[0]) => timers.useFakeTimers(config),
        useRealTimers: () => timers.useRealTimers(),
        advanceTimersByTime: (byMs: number) => timers.advanceTimersByTime(byMs),
        advanceTimersByTimeAsync: (byMs: number) => timers.advanceTimersByTimeAsync(byMs),
      },
    });
  }

  /** Loads jest-circus, with no tests yet. */
  requireInternalModule(path: string): unknown {
    for (const symbol of Object.getOwnPropertySymbols(globalThis).filter(isCircusState)) {
      Reflect.deleteProperty(globalThis, symbol);
    }
    delete require.cache[path];
    return require(path);
  }

  requireModule(path: string): unknown {
    return require(path);
  }

  unstable_shouldLoadAsEsm(): boolean {
    return true;
  }

  async unstable_importModule(path: string): Promise<void> {
    const before = loads.get(path) ?? 0;
    loads.set(path, before + 1);
    await import(`${pathToFileURL(path)}${before === 0 ? '' : `?load=${before}`}`);
  }

  getSourceMaps(): Map<string, string> {
    return new Map();
  }

  getAllCoverageInfoCopy(): undefined {}
  setGlobalsForRuntime(): void {}
  enterTestCode(): void {}
  leaveTestCode(): void {}
  teardown(): void {}
}
