/**
 * `npm run coverage`: how much of the source the unit tests run. Only those: what needs a broker is measured by guarantees
 * (ARCHITECTURE.md), not by lines.
 */
import config from './jest.config.js';

export default {
  ...config,
  projects: config.projects.filter(({ displayName }) => displayName === 'unit'),
  collectCoverage: true,
  coverageProvider: 'v8',
  coverageDirectory: '<rootDir>/node_modules/.cache/coverage',
  coverageReporters: ['text-summary', 'lcovonly'],
  collectCoverageFrom: ['schemas/src/**/*.ts', 'services/*/src/**/*.ts', '!**/*.test.ts'],
};
