import { homedir } from 'node:os';
import { join } from 'node:path';
import { kafkaVariables, readConfig, registryVariables } from '@databridge/kernel/config';
import { keyRingVariables } from '@databridge/kernel/key-ring-settings';
import { z } from 'zod';

type Environment = Readonly<Record<string, string | undefined>>;

const machineSchema = z.object({
  /** The Java to run Kafka and the registry with; unset: the one on the PATH. */
  JAVA_HOME: z.string().optional(),
  XDG_CACHE_HOME: z.string().default(join(homedir(), '.cache')),
  XDG_DATA_HOME: z.string().default(join(homedir(), '.local', 'share')),
});

/** What the local platform needs to know of the machine. */
export interface MachineConfig {
  javaHome: string | undefined;
  /** Fetched programs: may be deleted at any time, and are fetched again. */
  cacheDir: string;
}

export function readMachineConfig(env: Environment): MachineConfig {
  const { JAVA_HOME, XDG_CACHE_HOME } = readConfig(machineSchema, env);
  return { javaHome: JAVA_HOME, cacheDir: join(XDG_CACHE_HOME, 'databridge-events') };
}

const startSchema = machineSchema.extend({
  /** Both or neither; with neither, Kafka and a registry of its own. */
  KAFKA_BROKERS: kafkaVariables.KAFKA_BROKERS.optional(),
  SCHEMA_REGISTRY_URL: registryVariables.SCHEMA_REGISTRY_URL.optional(),
  /** What Kafka and the registry of its own keep. */
  LOCAL_DATA_DIR: z.string().optional(),
  /** As the services read it: the intake topics of these are created in a Kafka of its own. */
  EVENT_TYPES: z.string().default('root-cause=root-cause.events'),
  ...keyRingVariables,
  /** The admin ports of the two services; 0 takes a free one. */
  FAN_OUT_HTTP_PORT: z.string().default('0'),
  DELIVERY_HTTP_PORT: z.string().default('0'),
});

export interface StartConfig {
  brokers: string[] | undefined;
  registryUrl: string | undefined;
  dataDir: string;
  eventTypes: string;
  /** Whether the environment brings a key ring. */
  hasKeys: boolean;
  httpPorts: Record<'fan-out' | 'delivery', string>;
}

export function readStartConfig(env: Environment): StartConfig {
  const config = readConfig(startSchema, env);
  return {
    brokers: config.KAFKA_BROKERS,
    registryUrl: config.SCHEMA_REGISTRY_URL,
    dataDir: config.LOCAL_DATA_DIR ?? join(config.XDG_DATA_HOME, 'databridge-events'),
    eventTypes: config.EVENT_TYPES,
    hasKeys: (config.DATABRIDGE_KEYS ?? config.DATABRIDGE_KEYS_FILE) !== undefined,
    httpPorts: { 'fan-out': config.FAN_OUT_HTTP_PORT, delivery: config.DELIVERY_HTTP_PORT },
  };
}
