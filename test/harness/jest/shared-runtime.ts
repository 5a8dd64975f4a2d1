/**
 * Jest's module loader for all tests: Node's own. By default jest compiles and links all modules anew for each test file,
 * its own `expect` included, which took more processor time than the tests. Here the files that a worker process runs share
 * its modules, as the services' processes do, and Node runs the TypeScript as it is. So a test must not depend on the state
 * of a module that another file may have changed, and jest cannot mock modules. Modules of `test/` are evaluated anew for
 * each file: those of the harness keep what a file started, and end it in its `afterAll`.
 */
import { createRequire, enableCompileCache, registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { type default as SharedEnvironment, TIMEOUT_OF_TESTS } from './shared-environment.ts';

enableCompileCache();
const require = createRequire(import.meta.url);

const TESTS = new URL('../../', import.meta.url).href;
const OWN = new URL('./', import.meta.url).href;
/** The number of the test file, from 0, among those that this process runs and that use modules of `test/`. */
let fileNumber = -1;
const isOfTests = (url: string) => url.startsWith(TESTS) && !url.startsWith(OWN) && !url.includes('/node_modules/');

registerHooks({
  resolve(specifier, context, nextResolve) {
    const found = nextResolve(specifier, context);
    return isOfTests(found.url) && fileNumber > 0 ? { ...found, url: `${found.url}?file=${fileNumber}` } : found;
  },
});

/** jest-circus keeps the tests of a file in properties of the global object by these symbols. */
const isCircusState = (symbol: symbol) =>
  symbol.description === 'JEST_STATE_SYMBOL' || symbol.description === 'EVENT_HANDLERS';

/** How often a file was loaded by this process: a file that is run again, by `--watch`, must be loaded again. */
const loads = new Map<string, number>();

export default class SharedRuntime {
  constructor(_config: unknown, environment: SharedEnvironment, ...others: readonly unknown[]) {
    const testPath = others[4] as string;
    // Unit tests of services use no modules of `test/`, and the compile cache keeps whatever was loaded, by its address.
    if (isOfTests(pathToFileURL(testPath).href) || /\.(contract|peer)\.test\.ts$/.test(testPath)) fileNumber += 1;
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
        setTimeout: (timeoutMs: number) => Object.assign(globalThis, { [TIMEOUT_OF_TESTS]: timeoutMs }),
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
    const { href } = pathToFileURL(path);
    await import(before === 0 || isOfTests(href) ? href : `${href}?load=${before}`);
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
