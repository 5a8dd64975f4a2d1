import { ADDRESSES_VARIABLE, type PlatformAddress } from './kafka/running-platform.ts';

/**
 * This worker's Kafka and registry, shared by the test files that it runs one after the other: keep to names of
 * your own (`topics.ts`). Tests that stop or freeze a broker start one of their own with `startJvmPlatform`.
 */
export function platform(): PlatformAddress {
  const addresses = JSON.parse(process.env[ADDRESSES_VARIABLE] ?? '[]') as PlatformAddress[];
  // Jest counts its workers from 1; without workers it names none.
  const address = addresses[Number(process.env['JEST_WORKER_ID'] ?? 1) - 1];
  if (!address) {
    throw new Error(
      'No platform is running for this worker: tests that need one belong in test/flow, test/journeys or test/contract.',
    );
  }
  return address;
}
