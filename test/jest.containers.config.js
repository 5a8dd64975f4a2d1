/**
 * `npm run test:containers`: the same flow tests on Kafka and registry as containers; those that run the services as
 * processes once more with the built image; and what only containers have.
 */
import base from './jest.config.js';

const flow = base.projects.find(({ displayName }) => displayName === 'flow');
const inFolder = (pattern) => [`<rootDir>/test/${pattern}.test.ts`];

export default {
  ...base,
  projects: [
    { ...flow, displayName: 'flow' },
    {
      ...flow,
      displayName: 'image',
      testMatch: inFolder('flow/{deliver,rate,restart,retry}'),
      globals: { servicesRunIn: 'databridge-events:test' },
    },
    {
      ...flow,
      displayName: 'containers',
      testMatch: inFolder('containers/**/*'),
      setupFilesAfterEnv: ['<rootDir>/test/harness/broker-timeout.ts'],
    },
  ],
};
