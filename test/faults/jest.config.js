/** Fault runs: each file a platform of its own, one after the other. `npm run test:faults` makes the table of them. */
import all from '../jest.config.js';

const [unit] = all.projects;

export default {
  ...unit,
  displayName: 'faults',
  testMatch: ['<rootDir>/test/faults/**/*.fault.ts'],
  maxWorkers: 1,
  // Only ends what hangs: a slow machine takes many times what an idle one does.
  testTimeout: 1_200_000,
};
