/** Two projects: `unit` needs nothing but Node; `flow` shares one real Kafka and one registry per run. */
const rootDir = new URL('..', import.meta.url).pathname;

const shared = {
  rootDir,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  modulePathIgnorePatterns: ['<rootDir>/.turbo/'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2024', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
};

export default {
  rootDir,
  maxWorkers: 2,
  projects: [{ ...shared, displayName: 'unit', testMatch: ['<rootDir>/{schemas,services}/**/*.test.ts'] }],
};
