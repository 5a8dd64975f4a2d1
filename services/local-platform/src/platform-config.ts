import { existsSync } from 'node:fs';
import { homedir, platform } from 'node:os';
import { join } from 'node:path';
import { keyVariables } from '@databridge/kernel/secrets/key-settings';
import { kafkaVariables, readConfig, registryVariables } from '@databridge/kernel/settings/config';
import { NOTICES_TOPIC } from '@databridge/schemas/records/topics';
import { z } from 'zod';

type Environment = Readonly<Record<string, string | undefined>>;

const machineSchema = z.object({
  /** The home of the Java that runs Kafka and the registry; unset: the Java on the PATH. */
  JAVA_HOME: z.string().optional(),
  /** The way to run Kafka and the registry when none are given; unset: in Docker if it is available, else as JVMs. */
  DATABRIDGE_PLATFORM: z.enum(['docker', 'jvm'], { error: 'must be docker or jvm' }).optional(),
  /** The address of Docker, if it is not one of the default ones. */
  DOCKER_HOST: z.string().optional(),
  XDG_RUNTIME_DIR: z.string().optional(),
  XDG_CACHE_HOME: z.string().default(join(homedir(), '.cache')),
  XDG_DATA_HOME: z.string().default(join(homedir(), '.local', 'share')),
});

/** The facts about this machine that the local platform needs. */
export interface MachineConfig {
  forced: 'docker' | 'jvm' | undefined;
  /** True if Docker may be installed here. */
  mayHaveDocker: boolean;
  javaHome: string | undefined;
  /** The directory of downloaded programs: it may be deleted at any time, and they are downloaded again. */
  cacheDir: string;
}

export function readMachineConfig(env: Environment): MachineConfig {
  const config = readConfig(machineSchema, env);
  return {
    forced: config.DATABRIDGE_PLATFORM,
    mayHaveDocker: mayHaveDocker(config),
    javaHome: config.JAVA_HOME,
    cacheDir: join(config.XDG_CACHE_HOME, 'databridge-events'),
  };
}

/** Checks the places where testcontainers looks for Docker. */
function mayHaveDocker({ DOCKER_HOST, XDG_RUNTIME_DIR }: z.output<typeof machineSchema>): boolean {
  if (DOCKER_HOST !== undefined || platform() === 'win32') return true;
  const sockets = [
    '/var/run/docker.sock',
    ...(XDG_RUNTIME_DIR === undefined ? [] : [join(XDG_RUNTIME_DIR, 'docker.sock')]),
    join(homedir(), '.docker/run/docker.sock'),
    join(homedir(), '.docker/desktop/docker.sock'),
    join(homedir(), '.testcontainers.properties'),
  ];
  return sockets.some((path) => existsSync(path));
}

const port = z
  .string()
  .regex(/^\d{1,5}$/, { error: 'must be a port from 1 to 65535, or 0 for a free one' })
  .transform(Number)
  .refine((number) => number <= 65_535, { error: 'must be a port from 1 to 65535, or 0 for a free one' })
  .optional();

/** The default ports of `npm start`: they are the same at every start, so that scripts keep working. */
export const PORTS = {
  LOCAL_KAFKA_PORT: { what: 'Kafka', usual: 19092 },
  LOCAL_REGISTRY_PORT: { what: 'the schema registry', usual: 18081 },
  API_PORT: { what: 'the API', usual: 8080 },
  INTAKE_PORT: { what: 'the set-up page', usual: 18085 },
  FAN_OUT_HTTP_PORT: { what: "fan-out's admin port", usual: 18082 },
  DELIVERY_HTTP_PORT: { what: "delivery's admin port", usual: 18083 },
  CONTROL_PLANE_HTTP_PORT: { what: "the control plane's admin port", usual: 18084 },
} as const;
export type PortSetting = keyof typeof PORTS;

const startSchema = machineSchema.extend({
  /** Set both or neither; with neither, `npm start` runs its own Kafka and registry. */
  KAFKA_BROKERS: kafkaVariables.KAFKA_BROKERS.optional(),
  SCHEMA_REGISTRY_URL: registryVariables.SCHEMA_REGISTRY_URL.optional(),
  /** The data directory of the local Kafka and registry. */
  LOCAL_DATA_DIR: z.string().optional(),
  /** The services read it too; its intake topics are created in the local Kafka. */
  EVENT_TYPES: z.string().default(`root-cause=root-cause.events,notice=${NOTICES_TOPIC}`),
  ...keyVariables,
  /** The control plane reads these too. */
  API_HOST: z.string().default('127.0.0.1'),
  API_PORT: port,
  INTAKE_PORT: port,
  API_TOKENS: z.string().optional(),
  API_TOKENS_FILE: z.string().optional(),
  /** The other ports, see {@link PORTS}. */
  LOCAL_KAFKA_PORT: port,
  LOCAL_REGISTRY_PORT: port,
  FAN_OUT_HTTP_PORT: port,
  DELIVERY_HTTP_PORT: port,
  CONTROL_PLANE_HTTP_PORT: port,
});

export interface StartConfig {
  brokers: string[] | undefined;
  registryUrl: string | undefined;
  dataDir: string;
  eventTypes: string;
  /** True if the environment has a key ring. */
  hasKeys: boolean;
  /** True if the environment has tokens for the API. */
  hasTokens: boolean;
  apiHost: string;
  /** The ports that are set; 0 asks for a free one. */
  ports: Partial<Record<PortSetting, number>>;
}

export function readStartConfig(env: Environment): StartConfig {
  const config = readConfig(startSchema, env);
  return {
    brokers: config.KAFKA_BROKERS,
    registryUrl: config.SCHEMA_REGISTRY_URL,
    dataDir: config.LOCAL_DATA_DIR ?? join(config.XDG_DATA_HOME, 'databridge-events'),
    eventTypes: config.EVENT_TYPES,
    hasKeys: (config.DATABRIDGE_KEYS ?? config.DATABRIDGE_KEYS_FILE) !== undefined,
    hasTokens: (config.API_TOKENS ?? config.API_TOKENS_FILE) !== undefined,
    apiHost: config.API_HOST,
    ports: Object.fromEntries(
      (Object.keys(PORTS) as PortSetting[]).flatMap((name) =>
        config[name] === undefined ? [] : [[name, config[name]]],
      ),
    ),
  };
}
