/**
 * `npm run test:containers`: the same flow tests on Kafka and registry as containers; those that run the services as
 * processes once more with the built image; and what only containers have.
 */
process.env.DATABRIDGE_JOURNEYS = '1';
const { default: base } = await import('./jest.config.js');

const journeys = base.projects.find(({ displayName }) => displayName === 'journeys');
const flow = base.projects.find(({ displayName }) => displayName === 'flow');
const inFolder = (pattern) => [`<rootDir>/test/${pattern}.test.ts`];

export default {
  ...base,
  projects: [
    { ...flow, displayName: 'flow' },
    { ...journeys, displayName: 'journeys' },
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
