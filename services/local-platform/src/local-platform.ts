import { DatabridgeError } from '@databridge/kernel/errors';
import type { FetchProgress } from './fetch-progress.ts';
import type { Platform } from './platform.ts';
import { readMachineConfig } from './platform-config.ts';
import { startJvmPlatform } from './platform-jvm.ts';

export interface LocalPlatformOptions {
  /** A Kafka that runs already (KAFKA_BROKERS); given only together with `registryUrl`. */
  brokers?: string[] | undefined;
  /** A registry that runs already (SCHEMA_REGISTRY_URL): base of its Confluent-compatible API. */
  registryUrl?: string | undefined;
  /** Keeps the embedded platform's data, schema ids too, for the next start; absent: nothing is kept. */
  dataDir?: string | undefined;
  progress?: FetchProgress | undefined;
  onFailure?: ((error: DatabridgeError) => void) | undefined;
}

/**
 * The Kafka and the registry that the caller names, or else its own on this machine. Another way to run
 * them (containers, say) is another function that returns a `Platform`, chosen here.
 * @throws DatabridgeError DB_PLATFORM_…
 */
export async function startLocalPlatform(options: LocalPlatformOptions = {}): Promise<Platform> {
  const { brokers, registryUrl, ...own } = options;
  if (brokers && registryUrl) return { brokers, registryUrl, stop: async () => undefined };
  if (brokers || registryUrl) {
    throw new DatabridgeError(
      'DB_PLATFORM_HALF_CONFIGURED',
      `${brokers ? 'KAFKA_BROKERS' : 'SCHEMA_REGISTRY_URL'} is set but ${brokers ? 'SCHEMA_REGISTRY_URL' : 'KAFKA_BROKERS'} is not: set both, or neither for a local platform.`,
    );
  }
  return startJvmPlatform({ ...own, ...readMachineConfig(process.env) });
}
