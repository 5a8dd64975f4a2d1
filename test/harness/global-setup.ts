import { terminalProgress } from '@databridge/local-platform/jvm/fetch-progress';
import { preparePrograms } from '@databridge/local-platform/jvm/platform-jvm';
import { startLocalPlatform } from '@databridge/local-platform/local-platform';
import type { Platform } from '@databridge/local-platform/platform';
import { readMachineConfig } from '@databridge/local-platform/platform-config';
import { ADDRESSES_VARIABLE, type PlatformAddress, running } from './kafka/running-platform.ts';

/**
 * A Kafka and a registry for each of jest's workers: the names of the service's own topics and groups are fixed,
 * so two test files at once on one Kafka would deliver each other's events. Jest runs this in its parent process,
 * once for every project that has tests to run.
 */
export default async function globalSetup({ maxWorkers }: { maxWorkers: number }): Promise<void> {
  // Elsewhere Docker comes first; tests say which they are for. Workers and what they start inherit it.
  process.env['DATABRIDGE_PLATFORM'] ??= 'jvm';
  running.projects += 1;
  running.platforms ??= startPlatforms(maxWorkers);
  const platforms = await running.platforms;
  const addresses: PlatformAddress[] = platforms.map(({ brokers, registryUrl }) => ({ brokers, registryUrl }));
  process.env[ADDRESSES_VARIABLE] = JSON.stringify(addresses);
}

async function startPlatforms(count: number): Promise<Platform[]> {
  const options = {
    brokers: process.env['KAFKA_BROKERS']?.split(','),
    registryUrl: process.env['SCHEMA_REGISTRY_URL'],
    progress: terminalProgress(),
  };
  const machine = readMachineConfig(process.env);
  if (options.brokers === undefined && machine.forced === 'jvm') await preparePrograms({ ...machine, ...options });
  return await Promise.all(
    Array.from({ length: options.brokers === undefined ? count : 1 }, () => startLocalPlatform(options)),
  );
}
