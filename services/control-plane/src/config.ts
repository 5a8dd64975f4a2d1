import { isIP } from 'node:net';
import {
  duration,
  eventTypeVariables,
  kafkaVariables,
  registryVariables,
  serviceVariables,
  whole,
} from '@databridge/kernel/config';
import { egressVariables } from '@databridge/kernel/egress/egress-settings';
import { keyRingVariables } from '@databridge/kernel/secrets/key-ring-settings';
import { z } from 'zod';
import { retryPlanVariables } from './upkeep/retry-delays.ts';

function isAddressOrRange(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  return rest.length === 0 && isIP(address) !== 0 && (bits === undefined || /^\d{1,3}$/.test(bits));
}

export const controlPlaneVariables = z.object({
  ...kafkaVariables,
  ...serviceVariables,
  ...keyRingVariables,
  ...egressVariables,
  ...retryPlanVariables,
  ...eventTypeVariables,
  ...registryVariables,
  /** For showing the event of a dead letter; if it is not set, only the headers are shown. */
  SCHEMA_REGISTRY_URL: registryVariables.SCHEMA_REGISTRY_URL.optional(),
  /** Where the API listens; 0 takes a free port, which a log line names. */
  API_PORT: whole(8080, 0, 65_535),
  API_HOST: z.string().default('127.0.0.1'),
  /** Where other control planes reach this one's API: one of them makes the changes, the others send theirs to it. */
  API_ADVERTISED_URL: z.url({ protocol: /^https?$/, error: 'must be an http(s) address' }).optional(),
  /** A control plane that makes the changes and is silent for so long is replaced. */
  SESSION_TIMEOUT: duration('10s'),
  /** Who may use the API: lines that `databridge tokens generate` prints, or one line with commas. */
  API_TOKENS: z.string().optional(),
  /** A file that holds the same. */
  API_TOKENS_FILE: z.string().optional(),
  /** So many wrong tokens from one address within a minute close the door to it for the rest of that minute. */
  API_MAX_FAILURES: whole(20, 1, 1_000_000),
  /** Proxies before us, by address or CIDR: who calls is then whom their `X-Forwarded-For` names. */
  API_TRUSTED_PROXIES: z
    .string()
    .transform((text) => text.split(',').map((one) => one.trim()))
    .refine((list) => list.every(isAddressOrRange), 'must be addresses or CIDR ranges, separated by commas')
    .optional(),
  /** Who issues JWTs that are taken too, as their `iss` says it; with it, API_OIDC_AUDIENCE. */
  API_OIDC_ISSUER: z.url({ protocol: /^https?$/, error: 'must be an http(s) address' }).optional(),
  /** What stands in `aud` of those that are meant for us. */
  API_OIDC_AUDIENCE: z.string().optional(),
  /** Where the issuer's keys are; left out: where its discovery document says. */
  API_OIDC_JWKS_URL: z.url({ protocol: /^https?$/, error: 'must be an http(s) address' }).optional(),
  /** The claim that holds `operator`, `reader` or `customer`, alone or in a list; with `payloads`, a reader reads events. */
  API_OIDC_ROLE_CLAIM: z.string().default('databridge_role'),
  /** The claim that says which customer, for that role. */
  API_OIDC_CUSTOMER_CLAIM: z.string().default('databridge_customer'),
  /** The AWS accounts that the delivery workers themselves belong to: no subscription may name a role there. */
  AWS_OWN_ACCOUNTS: z
    .string()
    .transform((text) => text.split(',').map((one) => one.trim()))
    .refine(
      (list) => list.every((one) => /^\d{12}$/.test(one)),
      'must be AWS account ids of 12 digits, separated by commas',
    )
    .optional(),
  /** How many attempts, the newest, can be asked for; some 300 bytes of memory each. */
  MAX_ATTEMPTS: whole(500_000, 1_000, 50_000_000),
  /** How often the retention of customers' topics is brought in line with their states. */
  RETENTION_INTERVAL: duration('10m'),
});

export type ControlPlaneConfig = z.output<typeof controlPlaneVariables>;
