import { REGION } from '@databridge/schemas/destination/aws/region';
import { loadEventTypes } from '@databridge/schemas/event/event-types';
import { z } from 'zod';
import { DatabridgeError, messageOf } from '../errors.ts';
import { durationMs } from '../time/duration-ms.ts';

export { durationMs };

/**
 * Reads a service's configuration from the environment: the schema's keys are the variables' names. Blanks and line
 * ends around a value, which shells and files add, are removed, except around a password; an empty variable counts as
 * unset.
 * @throws {DatabridgeError} DB_CONFIG_INVALID, naming every mistake at once
 */
export function readConfig<T>(schema: z.ZodType<T>, env: Readonly<Record<string, string | undefined>>): T {
  const trimmed = Object.entries(env).map(([name, value]) => [name, name.endsWith('PASSWORD') ? value : value?.trim()]);
  const given = Object.fromEntries(trimmed.filter(([, value]) => value !== undefined && value !== ''));
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const mistakes = result.error.issues.map(({ path, message }) => `  ${path.join('.') || 'settings'}: ${message}`);
  throw new DatabridgeError(
    'DB_CONFIG_INVALID',
    `The configuration has ${mistakes.length} mistake${mistakes.length === 1 ? '' : 's'}:\n${mistakes.join('\n')}`,
  );
}

/** Node's timers overflow past 24.8 days and fire at once. */
const LONGEST_DURATION = '24d';

/** The range of a number or a duration, for the documents of settings: both ends included, as people write them. */
export type StatedRange = { readonly range: readonly [min: string, max: string] };

/** A duration with its unit, as in `10s`, from `min` to `max`; the value in milliseconds. Stated as {@link StatedRange}. */
export function duration(fallback: string, min = '1ms', max = LONGEST_DURATION) {
  return z
    .string()
    .default(fallback)
    .transform((text, context) => {
      const ms = durationMs(text);
      if (ms !== undefined && ms >= (durationMs(min) ?? 0) && ms <= (durationMs(max) ?? 0)) return ms;
      const message =
        ms === undefined
          ? `"${text}" is not a duration; write it as 500ms, 10s, 7m45s or 24h`
          : `"${text}" is not from ${min} to ${max}`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    })
    .meta({ range: [min, max] } satisfies StatedRange);
}

/** A whole number from `min` to `max`. Stated as {@link StatedRange}. */
export function whole(fallback: number, min: number, max: number) {
  return wholeText(min, max, z.string().default(String(fallback)));
}

/** The same without a default: undefined if it is not set. */
export function optionalWhole(min: number, max: number) {
  return wholeText(min, max, z.string()).optional().meta(rangeOf(min, max));
}

function wholeText(min: number, max: number, text: z.ZodType<string, string | undefined>) {
  return text
    .transform((given, context) => {
      const value = Number(given);
      if (/^\d+$/.test(given) && value >= min && value <= max) return value;
      context.addIssue({ code: 'custom', message: `"${given}" is not a whole number from ${min} to ${max}` });
      return z.NEVER;
    })
    .meta(rangeOf(min, max));
}

const rangeOf = (min: number, max: number): StatedRange => ({ range: [String(min), String(max)] });

/** A decimal number from `min` to `max`, such as `0.25`. Stated as {@link StatedRange}. */
export function decimal(fallback: string, min: number, max: number) {
  return z
    .string()
    .default(fallback)
    .transform((text, context) => {
      const value = Number(text);
      if (/^\d+(\.\d{1,9})?$/.test(text) && value >= min && value <= max) return value;
      const message = `"${text}" is not a decimal number from ${min} to ${max}, such as ${fallback}`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    })
    .meta(rangeOf(min, max));
}

/** `true` or `false`. */
export function flag(fallback: boolean) {
  return z
    .enum(['true', 'false'], { error: 'is neither true nor false' })
    .default(fallback ? 'true' : 'false')
    .transform((text) => text === 'true');
}

const isBroker = (text: string) => {
  const port = Number(/^[\w.-]+:(\d{1,5})$/.exec(text)?.[1]);
  return port >= 1 && port <= 65_535;
};

/** The variables of every service that uses Kafka. */
export const kafkaVariables = {
  KAFKA_BROKERS: z
    .string({ error: 'is not set; give the brokers as host:port, separated by commas' })
    .transform((text) => text.split(',').map((one) => one.trim()))
    .refine((list) => list.every(isBroker), {
      error: 'must be host:port, several separated by commas, such as "kafka-1:9092,kafka-2:9092"',
    }),
  KAFKA_TLS: flag(false),
  /** PEM file of the authority that signed the brokers' certificates, if it is a private one. */
  KAFKA_TLS_CA_FILE: z.string().optional(),
  /** PEM files of a client certificate with its chain, and of its key, by which the brokers identify the service. */
  KAFKA_TLS_CERT_FILE: z.string().optional(),
  KAFKA_TLS_KEY_FILE: z.string().optional(),
  KAFKA_SASL_MECHANISM: z
    .enum(['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer', 'aws-msk-iam'], {
      error: 'must be plain, scram-sha-256, scram-sha-512, oauthbearer or aws-msk-iam',
    })
    .optional(),
  KAFKA_SASL_USERNAME: z.string().optional(),
  KAFKA_SASL_PASSWORD: z.string().optional(),
  KAFKA_SASL_PASSWORD_FILE: z.string().optional(),
  /** For `oauthbearer`: the token endpoint, which is used with client credentials. */
  KAFKA_OAUTH_TOKEN_URL: httpAddress().optional(),
  KAFKA_OAUTH_CLIENT_ID: z.string().min(1).optional(),
  /** Read for each token request. */
  KAFKA_OAUTH_CLIENT_SECRET_FILE: z.string().optional(),
  KAFKA_OAUTH_SCOPE: z.string().min(1).optional(),
  /** For `aws-msk-iam`: the region of the cluster. The credentials are those of the process. */
  KAFKA_MSK_REGION: z
    .string()
    .regex(new RegExp(`^${REGION}$`), 'must be an AWS region, such as eu-west-1')
    .optional(),
} as const;

/** Returns whether the URL contains a user name or a password. */
function hasCredentials(url: string): boolean {
  const parsed = URL.parse(url);
  return parsed !== null && (parsed.username !== '' || parsed.password !== '');
}

/**
 * Returns whether an http(s) URL is an address and nothing more: one host, no query, no fragment, no part that is easily
 * overlooked. Another rule reports texts that are no URL, or contain credentials.
 */
function isPlainAddress(url: string): boolean {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || hasCredentials(url)) return true;
  const { hostname, search, hash } = parsed;
  return !/[@?#\\]/.test(url) && search === '' && hash === '' && /^(?:[\w.-]+|\[.+\])$/.test(hostname);
}

/** An http(s) address that is shown, passed on or fetched: it contains no user name and no password. */
export function httpAddress() {
  return z
    .url({ protocol: /^https?$/, error: 'must be an http(s) address' })
    .refine((url) => !hasCredentials(url), { error: 'must not contain a user name or a password' });
}

/** The variables of every service that decodes events. */
export const registryVariables = {
  SCHEMA_REGISTRY_URL: z
    .url({
      protocol: /^https?$/,
      error: 'must be the http(s) address of a registry with the Confluent API, such as http://registry:8081',
    })
    .refine((url) => !hasCredentials(url), {
      error:
        'contains a user name or a password: give SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD_FILE instead',
    })
    .refine(isPlainAddress, {
      error: 'must be the address of one registry, without a query or a #fragment, such as http://registry:8081',
    }),
  SCHEMA_REGISTRY_USERNAME: z.string().optional(),
  SCHEMA_REGISTRY_PASSWORD: z.string().optional(),
  SCHEMA_REGISTRY_PASSWORD_FILE: z.string().optional(),
  /** A bearer token, instead of user name and password. */
  SCHEMA_REGISTRY_TOKEN: z.string().optional(),
  SCHEMA_REGISTRY_TOKEN_FILE: z.string().optional(),
  /** PEM file of the authority that signed the registry's certificate, if it is a private one. */
  SCHEMA_REGISTRY_TLS_CA_FILE: z.string().optional(),
  /** PEM files of a client certificate and its key, for mutual TLS. */
  SCHEMA_REGISTRY_TLS_CERT_FILE: z.string().optional(),
  SCHEMA_REGISTRY_TLS_KEY_FILE: z.string().optional(),
} as const;

/** The variable of every service that knows the event types. */
export const eventTypeVariables = {
  /** Event types and their intake topics: `root-cause=root-cause.events,other=other.events`. */
  EVENT_TYPES: z
    .string()
    .default('root-cause=root-cause.events')
    .transform((line, context) => {
      try {
        return loadEventTypes(line);
      } catch (error) {
        context.addIssue({ code: 'custom', message: messageOf(error) });
        return z.NEVER;
      }
    }),
} as const;

/** The variables of every service with an admin port. */
export const serviceVariables = {
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'], {
      error: 'must be trace, debug, info, warn, error or silent',
    })
    .default('info'),
  /** The port of health, readiness and metrics; 0 takes a free port, which the first log line names. */
  HTTP_PORT: whole(0, 0, 65_535),
  HTTP_HOST: z.string().default('0.0.0.0'),
  /** The longest time that a stop may take before requests that are still running are aborted. */
  DRAIN_TIMEOUT: duration('30s', '1ms', '1h'),
} as const;
