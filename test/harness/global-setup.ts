import { terminalProgress } from '@databridge/local-platform/fetch-progress';
import { startLocalPlatform } from '@databridge/local-platform/local-platform';
import { BROKERS_VARIABLE, REGISTRY_VARIABLE, running } from './running-platform.ts';

/**
 * One Kafka and one registry for a whole run, however many projects ask: jest runs this once for every
 * project that has tests to run, in the parent process; the workers learn the addresses from the environment.
 */
export default async function globalSetup(): Promise<void> {
  running.users += 1;
  running.platform ??= startLocalPlatform({
    brokers: process.env['KAFKA_BROKERS']?.split(','),
    registryUrl: process.env['SCHEMA_REGISTRY_URL'],
    progress: terminalProgress(),
  });
  const { brokers, registryUrl } = await running.platform;
  process.env[BROKERS_VARIABLE] = brokers.join(',');
  process.env[REGISTRY_VARIABLE] = registryUrl;
}
