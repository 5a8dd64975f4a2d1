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

/** What is no URL at all is another rule's to say. */
const isOriginAlone = (url: URL | null) => url === null || url.href === `${url.origin}/`;

const variables = z.object({
  ...kafkaVariables,
  ...serviceVariables,
  ...keyVariables,
  ...sharedVariables,
  ...eventTypeVariables,
  ...registryVariables,
  /** For showing the event of a dead letter; if it is not set, only the headers are shown. */
  SCHEMA_REGISTRY_URL: registryVariables.SCHEMA_REGISTRY_URL.optional(),
  /** Where the API listens; 0 takes a free port, which a log line names. */
  API_PORT: whole(8080, 0, 65_535),
  API_HOST: z.string().default('127.0.0.1'),
  /** Where the page listens on which customers enter secrets; 0 takes a free port. Left out: there is none. */
  INTAKE_PORT: optionalWhole(0, 65_535),
  INTAKE_HOST: z.string().default('127.0.0.1'),
  /** Where customers reach that page: its links begin so. Left out: by the port, on this machine. */
  INTAKE_URL: httpAddress()
    .refine((url) => isOriginAlone(URL.parse(url)), 'must have no path, query or user information')
    .optional(),
  /** Where other control planes reach this one's API: one of them makes the changes, the others send theirs to it. */
  API_ADVERTISED_URL: httpAddress()
    .refine((url) => isOriginAlone(URL.parse(url)), 'must have no path, query or user information')
    .optional(),
  /** A control plane that makes the changes and is silent for so long is replaced. */
  SESSION_TIMEOUT: duration('10s', '1s', '30m'),
  /** Who may use the API: lines that `databridge tokens generate` prints, or one line with commas. */
  API_TOKENS: z.string().optional(),
  /** A file that holds the same. */
  API_TOKENS_FILE: z.string().optional(),
  /** Requests with unknown tokens from one address that are answered 401 within a minute; further ones get 429. */
  API_MAX_FAILURES: whole(20, 1, 1_000_000),
  /** Requests per minute for each token of a customer or a reader; further ones get 429. */
  API_REQUESTS_PER_MINUTE: whole(600, 1, 100_000_000),
  /** The same for each token of an operator. */
  API_OPERATOR_REQUESTS_PER_MINUTE: whole(60_000, 1, 100_000_000),
  /** Requests that read a topic or compute for long, at the same time; tenants take turns, with half of them each at most. */
  API_MAX_EXPENSIVE: whole(8, 1, 1_000),
  /** Live streams of attempts that are open at the same time. */
  API_MAX_STREAMS: whole(200, 1, 100_000),
  /** The same for one customer, or for one token of an operator or a reader. */
  API_MAX_STREAMS_PER_TENANT: whole(10, 1, 100_000),
  /** Proxies before us, by address or CIDR: who calls is then whom their `X-Forwarded-For` names. */
  API_TRUSTED_PROXIES: z
    .string()
    .transform((text) => text.split(',').map((one) => one.trim()))
    .refine((list) => list.every(isCidr), 'must be addresses or CIDR ranges, separated by commas')
    .optional(),
  /** Who issues JWTs that are taken too, as their `iss` says it; with it, API_OIDC_AUDIENCE. */
  API_OIDC_ISSUER: httpAddress().optional(),
  /** The value of `aud` in tokens for this service. */
  API_OIDC_AUDIENCE: z.string().optional(),
  /** Where the issuer's keys are; left out: where its discovery document says. */
  API_OIDC_JWKS_URL: httpAddress().optional(),
  /** The claim that holds `operator`, `reader` or `customer`, alone or in a list; with `payloads`, a reader reads events. */
  API_OIDC_ROLE_CLAIM: z.string().default('databridge_role'),
  /** The claim that says which customer, for that role. */
  API_OIDC_CUSTOMER_CLAIM: z.string().default('databridge_customer'),
  /** The built portal; left out: it is not served. */
  PORTAL_DIR: z.string().optional(),
  /** Where browsers reach the portal: the OpenID provider sends them back to `<PORTAL_URL>/portal/signed-in`. */
  PORTAL_URL: httpAddress()
    .refine((url) => isOriginAlone(URL.parse(url)), 'must have no path, query or user information')
    .optional(),
  /** The portal's own client at API_OIDC_ISSUER; with it, PORTAL_URL. */
  PORTAL_OIDC_CLIENT_ID: z.string().optional(),
  /** A file with that client's secret; left out: the client is a public one, known by PKCE alone. */
  PORTAL_OIDC_CLIENT_SECRET_FILE: z.string().optional(),
  /** The AWS accounts that the delivery workers themselves belong to: no subscription may name a role there. */
  AWS_OWN_ACCOUNTS: z
    .string()
    .transform((text) => text.split(',').map((one) => one.trim()))
    .refine(
      (list) => list.every((one) => /^\d{12}$/.test(one)),
      'must be AWS account ids of 12 digits, separated by commas',
    )
    .optional(),
  /** The addresses or CIDR ranges that requests to destinations come from, as customers let them through their firewalls. */
  EGRESS_ADDRESSES: z
    .string()
    .transform((text) => text.split(',').map((one) => one.trim()))
    .refine((list) => list.every(isCidr), 'must be addresses or CIDR ranges, separated by commas')
    .optional(),
  /** The AWS principal that the delivery workers are, which customers name in the trust policies of their roles. */
  AWS_PRINCIPAL: z
    .string()
    .regex(
      /^arn:[a-z0-9-]+:(iam|sts)::\d{12}:[\w+=,.@:/-]+$/,
      'must be the ARN of a principal, such as arn:aws:iam::123456789012:role/databridge-delivery',
    )
    .optional(),
  /** How often customers are looked at for notices, which need the event type `notice` in EVENT_TYPES and a registry. */
  NOTICES_INTERVAL: duration('10s', '100ms', '1h'),
  /** Attempts that can be asked for, of 300 bytes each; beyond it the customers with the most lose their oldest. */
  MAX_ATTEMPTS: whole(500_000, 1_000, 50_000_000),
  /** How often the retention of customers' topics is brought in line with their states. */
  RETENTION_INTERVAL: duration('10m', '1s', '24h'),
  /** How often the writer gathers the state of all customers for `/metrics`. */
  EXPORT_INTERVAL: duration('30s', '100ms', '1h'),
});

export const controlPlaneVariables = variables.transform(withRetryPlan);

export type ControlPlaneConfig = z.output<typeof controlPlaneVariables>;
