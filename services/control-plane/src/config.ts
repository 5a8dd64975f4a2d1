import { isCidr } from '@databridge/kernel/egress/cidr-list';
import { keyVariables } from '@databridge/kernel/secrets/key-settings';
import {
  duration,
  eventTypeVariables,
  httpAddress,
  kafkaVariables,
  optionalWhole,
  registryVariables,
  serviceVariables,
  whole,
} from '@databridge/kernel/settings/config';
import { sharedVariables, withRetryPlan } from '@databridge/kernel/settings/shared-settings';
import { z } from 'zod';

/** Another rule reports texts that are not URLs. */
const isOriginAlone = (url: URL | null) => url === null || url.href === `${url.origin}/`;

const variables = z.object({
  ...kafkaVariables,
  ...serviceVariables,
  ...keyVariables,
  ...sharedVariables,
  ...eventTypeVariables,
  ...registryVariables,
  /** The registry, for showing the event of a dead letter; if it is not set, only the headers are shown. */
  SCHEMA_REGISTRY_URL: registryVariables.SCHEMA_REGISTRY_URL.optional(),
  /** The port of the API; 0 takes a free port, which a log line names. */
  API_PORT: whole(8080, 0, 65_535),
  API_HOST: z.string().default('127.0.0.1'),
  /** The port of the page on which customers enter secrets; 0 takes a free port. If omitted, there is no page. */
  INTAKE_PORT: optionalWhole(0, 65_535),
  INTAKE_HOST: z.string().default('127.0.0.1'),
  /** The address at which customers reach that page: its links begin with it. If omitted, the port on this machine. */
  INTAKE_URL: httpAddress()
    .refine((url) => isOriginAlone(URL.parse(url)), 'must have no path, query or user information')
    .optional(),
  /**
   * The address at which other control planes reach this one's API: one of them makes the changes, and the others
   * forward changes to it.
   */
  API_ADVERTISED_URL: httpAddress()
    .refine((url) => isOriginAlone(URL.parse(url)), 'must have no path, query or user information')
    .optional(),
  /** A control plane that is the writer and sends no heartbeat for this long is replaced. */
  SESSION_TIMEOUT: duration('10s', '1s', '30m'),
  /** The tokens of the API: lines that `databridge tokens generate` prints, or one line with commas. */
  API_TOKENS: z.string().optional(),
  /** A file that contains the tokens. */
  API_TOKENS_FILE: z.string().optional(),
  /**
   * The number of requests with unknown tokens from one address that are answered 401 within a minute; further ones get
   * 429.
   */
  API_MAX_FAILURES: whole(20, 1, 1_000_000),
  /** Requests per minute for each token of a customer or a reader; further ones get 429. */
  API_REQUESTS_PER_MINUTE: whole(600, 1, 100_000_000),
  /** The limit for each token of an operator. */
  API_OPERATOR_REQUESTS_PER_MINUTE: whole(60_000, 1, 100_000_000),
  /**
   * The limit of running requests that read a topic or compute for long; tenants take turns, and each gets at most half
   * of them.
   */
  API_MAX_EXPENSIVE: whole(8, 1, 1_000),
  /** Live streams of attempts that are open at the same time. */
  API_MAX_STREAMS: whole(200, 1, 100_000),
  /** The limit for one customer, or for one token of an operator or a reader. */
  API_MAX_STREAMS_PER_TENANT: whole(10, 1, 100_000),
  /** Proxies before us, by address or CIDR: the client is then the one that their `X-Forwarded-For` names. */
  API_TRUSTED_PROXIES: z
    .string()
    .transform((text) => text.split(',').map((one) => one.trim()))
    .refine((list) => list.every(isCidr), 'must be addresses or CIDR ranges, separated by commas')
    .optional(),
  /** The issuer of JWTs that are accepted too, as in their `iss`; it requires API_OIDC_AUDIENCE. */
  API_OIDC_ISSUER: httpAddress().optional(),
  /** The value of `aud` in tokens for this service. */
  API_OIDC_AUDIENCE: z.string().optional(),
  /** The address of the issuer's keys; if omitted, its discovery document states it. */
  API_OIDC_JWKS_URL: httpAddress().optional(),
  /** The claim that contains `operator`, `reader` or `customer`, alone or in a list; with `payloads`, a reader reads events. */
  API_OIDC_ROLE_CLAIM: z.string().default('databridge_role'),
  /** The claim that names the customer, for that role. */
  API_OIDC_CUSTOMER_CLAIM: z.string().default('databridge_customer'),
  /** The directory of the built portal; if omitted, it is not served. */
  PORTAL_DIR: z.string().optional(),
  /**
   * The address at which browsers reach the portal: the OpenID provider redirects them to
   * `<PORTAL_URL>/portal/signed-in`.
   */
  PORTAL_URL: httpAddress()
    .refine((url) => isOriginAlone(URL.parse(url)), 'must have no path, query or user information')
    .optional(),
  /** The portal's own client at API_OIDC_ISSUER; it requires PORTAL_URL. */
  PORTAL_OIDC_CLIENT_ID: z.string().optional(),
  /** A file with that client's secret; if omitted, the client is a public one, which uses PKCE alone. */
  PORTAL_OIDC_CLIENT_SECRET_FILE: z.string().optional(),
  /** The AWS accounts of the delivery workers: no subscription may name a role in them. */
  AWS_OWN_ACCOUNTS: z
    .string()
    .transform((text) => text.split(',').map((one) => one.trim()))
    .refine(
      (list) => list.every((one) => /^\d{12}$/.test(one)),
      'must be AWS account ids of 12 digits, separated by commas',
    )
    .optional(),
  /** The addresses or CIDR ranges from which requests to destinations come, for the firewalls of customers. */
  EGRESS_ADDRESSES: z
    .string()
    .transform((text) => text.split(',').map((one) => one.trim()))
    .refine((list) => list.every(isCidr), 'must be addresses or CIDR ranges, separated by commas')
    .optional(),
  /** The AWS principal of the delivery workers, which customers name in the trust policies of their roles. */
  AWS_PRINCIPAL: z
    .string()
    .regex(
      /^arn:[a-z0-9-]+:(iam|sts)::\d{12}:[\w+=,.@:/-]+$/,
      'must be the ARN of a principal, such as arn:aws:iam::123456789012:role/databridge-delivery',
    )
    .optional(),
  /**
   * The interval at which customers are checked for notices, which need the event type `notice` in EVENT_TYPES and a
   * registry.
   */
  NOTICES_INTERVAL: duration('10s', '100ms', '1h'),
  /**
   * The limit of attempts in the view, of 300 bytes each; above it the customers with the most attempts lose their
   * oldest.
   */
  MAX_ATTEMPTS: whole(500_000, 1_000, 50_000_000),
  /** The interval at which the retention of customers' topics is adjusted to their states. */
  RETENTION_INTERVAL: duration('10m', '1s', '24h'),
  /** The interval at which the writer gathers the state of all customers for `/metrics`. */
  EXPORT_INTERVAL: duration('30s', '100ms', '1h'),
});

export const controlPlaneVariables = variables.transform(withRetryPlan);

export type ControlPlaneConfig = z.output<typeof controlPlaneVariables>;
