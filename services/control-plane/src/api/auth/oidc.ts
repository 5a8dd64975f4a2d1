import { createHash } from 'node:crypto';
import { DatabridgeError, messageOf } from '@databridge/kernel/errors';
import type { Logger } from '@databridge/kernel/log';
import type { Person } from '@databridge/kernel/secrets/tokens';
import { systemClock } from '@databridge/kernel/time/clock';
import { CUSTOMER_PATTERN } from '@databridge/schemas/records/topics';
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Callers } from './access.ts';

export interface OidcSettings {
  /** The value of `iss`. */
  readonly issuer: string;
  readonly audience: string;
  /** If omitted, the issuer's discovery document states it. */
  readonly jwksUrl: string | undefined;
  /** The name of a claim, or its path with dots: `realm_access.roles`. */
  readonly roleClaim: string;
  readonly customerClaim: string;
}

/** Algorithms with a key that the issuer publishes: no symmetric ones, and never `none`. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const CLOCK_TOLERANCE_SECONDS = 30;
const ISSUER_WITHIN_MS = 5_000;
/** After a failed discovery, requests are answered 503 for this long without asking the issuer again. */
const DISCOVER_AGAIN_AFTER_MS = 1_000;
/** JWTs with unknown keys make us fetch the issuer's keys at most once in this time. */
const COOLDOWN_MS = 30_000;
/** The roles by their rights, the widest first: a caller with several roles has the first of them. */
const ROLES = ['operator', 'reader', 'customer'] as const;

/** At most 255 characters (OpenID Connect Core §2), all of them visible: the text is written to the audit log. */
const SUBJECT = /^[^\p{C}]{1,255}$/u;

/** Errors that the token caused, and not the connection to the issuer. */
const REFUSALS = [
  errors.JWTClaimValidationFailed,
  errors.JWTExpired,
  errors.JWTInvalid,
  errors.JWSInvalid,
  errors.JWSSignatureVerificationFailed,
  errors.JOSEAlgNotAllowed,
  errors.JOSENotSupported,
  errors.JWKSNoMatchingKey,
  errors.JWKSMultipleMatchingKeys,
];

/** The caller by the claims of a verified token. @returns undefined if they contain no known role */
export function callerByClaims(
  payload: JWTPayload,
  { roleClaim, customerClaim }: Pick<OidcSettings, 'roleClaim' | 'customerClaim'>,
  log: Logger,
): Person | undefined {
  const given = claimOf(payload, roleClaim);
  const roles = Array.isArray(given) ? given : [given];
  const role = ROLES.find((one) => roles.includes(one));
  const name: unknown = payload.sub;
  // RFC 7519 §4.1.2 requires a text. With other types, two callers could get the same name.
  if (typeof name !== 'string' || !SUBJECT.test(name)) {
    log.info('JWT refused: sub is not a text of 1 to 255 printable characters');
    return undefined;
  }
  const id = `oidc:${createHash('sha256').update(`${payload.iss}\n${name}`).digest('base64url')}`;
  if (role === 'operator') return { id, name, role };
  if (role === 'reader') return { id, name, role, ...(roles.includes('payloads') && { payloads: true as const }) };
  const customer = claimOf(payload, customerClaim);
  if (role === 'customer' && typeof customer === 'string' && CUSTOMER_PATTERN.test(customer)) {
    return { id, name, role, customer };
  }
  log.info({ sub: payload.sub, role, roleClaim, customerClaim }, 'JWT has no known role');
  return undefined;
}

/**
 * Identifies callers by JWT: `jose` checks signature, issuer, audience and time, with keys that it caches and renews.
 */
export class OidcCallers implements Callers {
  readonly #settings: OidcSettings;
  readonly #log: Logger;
  #keys: Promise<JWTVerifyGetKey> | undefined;
  #hasFailed = false;
  #discoverAgainAtMs = 0;

  constructor(settings: OidcSettings, log: Logger) {
    this.#settings = settings;
    this.#log = log;
  }

  /** @throws {DatabridgeError} DB_ISSUER_UNAVAILABLE if the token cannot be verified at present */
  async callerOf(token: string): Promise<Person | undefined> {
    const { issuer, audience } = this.#settings;
    try {
      const { payload } = await jwtVerify(token, await this.#issuersKeys(), {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        requiredClaims: ['exp', 'sub'],
      });
      return callerByClaims(payload, this.#settings, this.#log);
    } catch (error) {
      if (REFUSALS.some((refusal) => error instanceof refusal)) {
        this.#log.info({ code: (error as errors.JOSEError).code }, 'JWT refused');
        return undefined;
      }
      this.#log.warn(
        { event: 'oidc_keys_unavailable', err: error, issuer },
        `issuer's keys unavailable: ${messageOf(error)}`,
      );
      throw new DatabridgeError(
        'DB_ISSUER_UNAVAILABLE',
        "The issuer's keys cannot be fetched at the moment, so the token cannot be checked; try again",
        { cause: error },
      );
    }
  }

  /**
   * Runs once. A failed discovery is tried again, but not by every request: a client that sends JWTs must not be able
   * to make us call the issuer as often.
   */
  #issuersKeys(): Promise<JWTVerifyGetKey> {
    const isOver = systemClock.monotonicMs() > this.#discoverAgainAtMs;
    if (this.#keys === undefined || (this.#hasFailed && isOver)) {
      this.#hasFailed = false;
      this.#keys = jwksUrl(this.#settings).then((url) =>
        createRemoteJWKSet(url, { timeoutDuration: ISSUER_WITHIN_MS, cooldownDuration: COOLDOWN_MS }),
      );
      this.#keys.catch(() => {
        this.#hasFailed = true;
        this.#discoverAgainAtMs = systemClock.monotonicMs() + DISCOVER_AGAIN_AFTER_MS;
      });
    }
    return this.#keys;
  }
}

/** https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig */
async function jwksUrl({ issuer, jwksUrl: given }: OidcSettings): Promise<URL> {
  if (given !== undefined) return new URL(given);
  const where = new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  const answer = await fetch(where, { redirect: 'error', signal: AbortSignal.timeout(ISSUER_WITHIN_MS) });
  const found = (await answer.json()) as { issuer?: unknown; jwks_uri?: unknown };
  if (found.issuer !== issuer || typeof found.jwks_uri !== 'string') {
    throw new Error(`${where} is not the discovery document of ${issuer}`);
  }
  return new URL(found.jwks_uri);
}

/** A claim with exactly that name comes first: some names are URLs, which contain dots. */
function claimOf(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name];
  return name.split('.').reduce<unknown>((value, step) => {
    const isMap = typeof value === 'object' && value !== null && Object.hasOwn(value, step);
    return isMap ? (value as Record<string, unknown>)[step] : undefined;
  }, payload);
}

/** Our own tokens and the issuer's: a JWT consists of three parts, ours do not. */
export function callersOf(tokens: Callers | undefined, oidc: Callers | undefined): Callers {
  return {
    callerOf: (token) => (token.split('.').length === 3 ? oidc : tokens)?.callerOf(token),
    callerById: (id) => tokens?.callerById?.(id),
  };
}
