import { DatabridgeError } from '@databridge/kernel/errors';
import { askDocker } from './docker/docker.ts';
import type { FetchProgress } from './jvm/fetch-progress.ts';
import { startJvmPlatform } from './jvm/platform-jvm.ts';
import type { ControllablePlatform, OwnPorts, Platform } from './platform.ts';
import { readMachineConfig } from './platform-config.ts';

export interface LocalPlatformOptions {
  /** A Kafka that runs already (KAFKA_BROKERS); given only together with `registryUrl`. */
  brokers?: string[] | undefined;
  /** A registry that runs already (SCHEMA_REGISTRY_URL): base of its Confluent-compatible API. */
  registryUrl?: string | undefined;
  /** Keeps the embedded platform's data, schema ids too, for the next start; absent: nothing is kept. */
  dataDir?: string | undefined;
  /** Of Kafka and the registry on this machine; absent: free ones. */
  ports?: OwnPorts | undefined;
  progress?: FetchProgress | undefined;
  onFailure?: ((error: DatabridgeError) => void) | undefined;
}

/**
 * The Kafka and the registry that the caller names, or else its own on this machine.
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
 * As containers where Docker answers and has the images, or can pull them; else as JVMs. DATABRIDGE_PLATFORM decides
 * otherwise.
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
