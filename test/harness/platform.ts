import { BROKERS_VARIABLE, REGISTRY_VARIABLE } from './running-platform.ts';

/** The Kafka and the registry that all broker tests of a run share: keep to names of your own (`topics.ts`). */
export function platform(): { brokers: string[]; registryUrl: string } {
  const brokers = process.env[BROKERS_VARIABLE];
  const registryUrl = process.env[REGISTRY_VARIABLE];
  if (!brokers || !registryUrl) {
    throw new Error('No platform is running: tests that need one belong in test/flow or test/contract.');
  }
  return { brokers: brokers.split(','), registryUrl };
}
