import { DatabridgeError } from '@databridge/kernel/errors';
import { askDocker } from './docker/docker.ts';
import type { FetchProgress } from './jvm/fetch-progress.ts';
import { startJvmPlatform } from './jvm/platform-jvm.ts';
import type { ControllablePlatform, OwnPorts, Platform } from './platform.ts';
import { readMachineConfig } from './platform-config.ts';

export interface LocalPlatformOptions {
  /** The brokers of a running Kafka (KAFKA_BROKERS); given only together with `registryUrl`. */
  brokers?: string[] | undefined;
  /** The base URL of a running registry's Confluent-compatible API (SCHEMA_REGISTRY_URL). */
  registryUrl?: string | undefined;
  /** Keeps the embedded platform's data, schema ids too, for the next start; absent: nothing is kept. */
  dataDir?: string | undefined;
  /** Ports of Kafka and the registry on this machine; absent: free ones. */
  ports?: OwnPorts | undefined;
  progress?: FetchProgress | undefined;
  onFailure?: ((error: DatabridgeError) => void) | undefined;
}

/**
 * Returns the Kafka and the registry that the caller names; without any, starts both on this machine.
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
  return startOwnPlatform(own);
}

/**
 * Starts containers where Docker answers and has the images or can pull them; else JVMs. DATABRIDGE_PLATFORM overrides
 * this.
 * @throws DatabridgeError DB_PLATFORM_…
 */
async function startOwnPlatform(
  options: Omit<LocalPlatformOptions, 'brokers' | 'registryUrl'> = {},
): Promise<ControllablePlatform> {
  const machine = readMachineConfig(process.env);
  const docker = machine.forced === 'jvm' ? undefined : await askDocker(machine, options.progress);
  if (docker?.isUsable) {
    const { startDockerPlatform } = await import('./docker/platform-docker.ts');
    return startDockerPlatform(options);
  }
  if (machine.forced === 'docker') {
    throw new DatabridgeError(
      'DB_PLATFORM_DOCKER_MISSING',
      `DATABRIDGE_PLATFORM is docker, but ${docker?.reason}. Start Docker, or unset it to run on the local Java.`,
    );
  }
  return startJvmPlatform({ ...options, ...machine });
}
