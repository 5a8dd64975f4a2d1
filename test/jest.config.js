/**
 * `unit` needs nothing but Node; the others have a real Kafka and registry. `peers` fetches what others wrote to receive
 * our requests, and runs only when asked for (`npm run test:peers`); so do `tenants`, which puts hostile customers beside
 * a healthy one (`npm run test:tenants`), and `journeys`: what operators and customers do by API, command line and browser,
 * and what needs brokers of its own (`npm run test:journeys`). With them, `npm test` would take three times as long.
 */
import { existsSync } from 'node:fs';

const rootDir = new URL('..', import.meta.url).pathname;

/** The files that a worker process runs share its modules, which takes a fraction of the time: see shared-runtime.ts. */
const shared = {
  rootDir,
  runtime: '<rootDir>/test/harness/jest/shared-runtime.ts',
  testEnvironment: '<rootDir>/test/harness/jest/shared-environment.ts',
  modulePathIgnorePatterns: ['<rootDir>/.turbo/'],
  transform: {},
};

/** Need more than Node (a compiler, shells, promtool), or build something: with the journeys. */
const withOtherPrograms = [
  '<rootDir>/deploy/**/*.test.ts',
  '<rootDir>/test/scaffold/**/*.test.ts',
  '<rootDir>/services/cli/src/commands/completion.test.ts',
  '<rootDir>/services/portal/src/build/build.test.ts',
];

/** As test/harness/portal/browser.ts looks for it. Without one, the pages of the portal are not tested. */
const hasChromium = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].some((path) => path && existsSync(path));

/** Jest starts the platform for a project only if that project has tests to run. */
const onPlatform = {
  ...shared,
  testEnvironment: '<rootDir>/test/harness/jest/watched-environment.ts',
  globalSetup: '<rootDir>/test/harness/global-setup.ts',
  globalTeardown: '<rootDir>/test/harness/global-teardown.ts',
  setupFilesAfterEnv: ['<rootDir>/test/harness/broker-timeout.ts'],
};

/** See watched-environment.ts. In the other projects, files that leave something open are named in a warning. */
const failingOnLeaks = { leaks: 'fail' };

/** Each file starts without subscriptions, customers and groups of those before it. */
const onCleanSlate = {
  ...onPlatform,
  setupFilesAfterEnv: [...onPlatform.setupFilesAfterEnv, '<rootDir>/test/harness/clean-slate.ts'],
};

export default {
  rootDir,
  // One Kafka of your own serves one worker only: see test/harness/global-setup.ts. Otherwise more than the two processors
  // that CI has: tests with a platform wait for half of their time.
  maxWorkers: process.env.KAFKA_BROKERS ? 1 : 3,
  // Only ends what hangs: a slow and busy machine takes many times what an idle one does.
  testTimeout: 60_000,
  // As it ends, a worker writes the compile cache. What it may not leave open: test/harness/jest/watched-environment.ts.
  workerGracefulExitTimeout: 10_000,
  testSequencer: '<rootDir>/test/harness/jest/longest-first.js',
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testPathIgnorePatterns: [
        '/node_modules/',
        '\\.(contract|peer)\\.test\\.ts$',
        '/completion.test.ts$',
        '/build.test.ts$',
      ],
      testMatch: [
        '<rootDir>/{schemas,services}/**/*.test.ts',
        '<rootDir>/test/{bench,ci,docs,faults,fuzz,harness,simulation}/**/*.test.ts',
      ],
    },
    {
      ...onPlatform,
      displayName: 'contract',
      testEnvironmentOptions: failingOnLeaks,
      testPathIgnorePatterns: ['/node_modules/', '/own-brokers/'],
      testMatch: ['<rootDir>/test/contract/**/*.test.ts', '<rootDir>/schemas/src/destination/**/*.contract.test.ts'],
    },
    {
      ...onCleanSlate,
      displayName: 'flow',
      testEnvironmentOptions: failingOnLeaks,
      testMatch: ['<rootDir>/test/flow/**/*.test.ts'],
    },
    ...(process.env.DATABRIDGE_JOURNEYS
      ? [
          {
            ...onCleanSlate,
            displayName: 'journeys',
            testMatch: [
              '<rootDir>/test/journeys/**/*.test.ts',
              '<rootDir>/test/contract/own-brokers/**/*.test.ts',
              ...withOtherPrograms,
              ...(hasChromium ? ['<rootDir>/test/portal/services.test.ts'] : []),
            ],
          },
        ]
      : []),
    ...(hasChromium ? [{ ...shared, displayName: 'portal', testMatch: ['<rootDir>/test/portal/pages.test.ts'] }] : []),
    ...(process.env.DATABRIDGE_TENANTS
      ? [
          {
            ...onCleanSlate,
            displayName: 'tenants',
            testMatch: [
              '<rootDir>/test/tenants/**/*.test.ts',
              // What each role may do: it also runs with the unit tests.
              '<rootDir>/services/control-plane/src/api/auth/rights.test.ts',
            ],
          },
        ]
      : []),
    ...(process.env.DATABRIDGE_OPS
      ? [
          {
            ...onPlatform,
            displayName: 'ops',
            testMatch: ['<rootDir>/test/ops/**/*.test.ts'],
            setupFilesAfterEnv: ['<rootDir>/test/harness/peers/patience.ts'],
          },
        ]
      : []),
    ...(process.env.DATABRIDGE_PEERS
      ? [
          {
            ...onPlatform,
            displayName: 'peers',
            testMatch: ['<rootDir>/test/peers/**/*.test.ts', '<rootDir>/schemas/src/destination/**/*.peer.test.ts'],
            setupFilesAfterEnv: ['<rootDir>/test/harness/peers/patience.ts'],
          },
        ]
      : []),
  ],
};
