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
  /** Left out: where the issuer's discovery document says. */
  readonly jwksUrl: string | undefined;
  /** A claim's name, or the way to it with dots: `realm_access.roles`. */
  readonly roleClaim: string;
  readonly customerClaim: string;
}

/** Signed by a key that the issuer publishes: nothing symmetric, and never `none`. */
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
/** After a failed discovery, requests are answered 503 for that long without asking the issuer again. */
const DISCOVER_AGAIN_AFTER_MS = 1_000;
/** JWTs that name unknown keys make us fetch the issuer's keys once in that time. */
const COOLDOWN_MS = 30_000;
/** The most that somebody may: one who has several roles has the first of these. */
const ROLES = ['operator', 'reader', 'customer'] as const;

/** At most 255 characters (OpenID Connect Core §2), none of them invisible: it is written to the audit log. */
const SUBJECT = /^[^\p{C}]{1,255}$/u;

/** The token is at fault, not the way to the issuer. */
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

/** Who calls, by the claims of a token that was verified. @returns undefined: they give no role that we know */
export function callerByClaims(
  payload: JWTPayload,
  { roleClaim, customerClaim }: Pick<OidcSettings, 'roleClaim' | 'customerClaim'>,
  log: Logger,
): Person | undefined {
  const given = claimOf(payload, roleClaim);
  const roles = Array.isArray(given) ? given : [given];
  const role = ROLES.find((one) => roles.includes(one));
  const name: unknown = payload.sub;
  // RFC 7519 §4.1.2: a text. Of anything else, two callers could have the same name.
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

/** Callers by JWT: signature, issuer, audience and time are checked by `jose`, with keys that it keeps and renews. */
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

  /** @throws {DatabridgeError} DB_ISSUER_UNAVAILABLE: nobody can say whether it is good */
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
   * Discovered once. A discovery that fails is tried again, but not by every request: whoever sends JWTs must not be
   * able to make us ask the issuer as often.
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

/** A claim of that very name comes first: some are URLs, with dots in them. */
function claimOf(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name];
  return name.split('.').reduce<unknown>((value, step) => {
    const isMap = typeof value === 'object' && value !== null && Object.hasOwn(value, step);
    return isMap ? (value as Record<string, unknown>)[step] : undefined;
  }, payload);
}

/** Our own tokens, and the issuer's: a JWT has three parts, ours none. */
export function callersOf(tokens: Callers | undefined, oidc: Callers | undefined): Callers {
  return {
    callerOf: (token) => (token.split('.').length === 3 ? oidc : tokens)?.callerOf(token),
    callerById: (id) => tokens?.callerById?.(id),
  };
}
