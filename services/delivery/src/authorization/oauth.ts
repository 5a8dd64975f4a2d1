import type { Secret } from '@databridge/kernel/secrets/secret';
import { systemClock } from '@databridge/kernel/time/clock';
import type { OAuthAuthentication } from '@databridge/schemas/subscription/authentication';
import type { Redaction } from '../destination/redaction.ts';
import { CONNECT_TIMEOUT_MS, type Egress, type TlsIdentity } from '../egress/dispatcher.ts';
import type { EgressPool } from '../egress/egress-pool.ts';
import type { Authorization, Authorizer, Headers } from './authorizer.ts';
import type { Token } from './token-answer.ts';
import { basicPair, requestToken, secretsOf } from './token-request.ts';

/**
 * A token is replaced this long before it expires, so that none expires in flight; a short-lived one is replaced after
 * four fifths of its lifetime.
 */
const EARLY_MS = 60_000;
const EARLY_SHARE = 0.2;
/** The lifetime if the server states none. A 401 or 403 from the destination ends it sooner. */
const ASSUMED_LIFETIME_MS = 3_600_000;
const SHOWN_FAILURE_CHARS = 400;

export interface OAuthOptions {
  readonly egress: Egress;
  readonly tls: TlsIdentity;
  /** The tokens are added to it, because an API may echo them. */
  readonly redaction: Redaction;
  readonly monotonicMs?: () => number;
}

/**
 * OAuth 2 client credentials. However many deliveries wait for a token, one token request is in flight.
 *
 *     no token ──authorize──▶ requesting ──token──▶ held ──shortly before it expires, or 401 or 403──▶ no token
 *                                 └────failure────▶ no token: each waiting delivery gets the failure
 */
export class OAuth implements Authorizer {
  readonly #authentication: OAuthAuthentication<Secret>;
  readonly #pool: EgressPool;
  readonly #redaction: Redaction;
  readonly #monotonicMs: () => number;
  #held:
    | { readonly authorization: { readonly headers: Headers }; readonly token: Token; readonly endsAtMs: number }
    | undefined;
  #requesting: Promise<Authorization> | undefined;

  constructor(authentication: OAuthAuthentication<Secret>, options: OAuthOptions) {
    this.#authentication = authentication;
    this.#redaction = options.redaction;
    this.#monotonicMs = options.monotonicMs ?? (() => systemClock.monotonicMs());
    this.#pool = options.egress.openPool(new URL(authentication.tokenUrl), {
      connections: 1,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      tls: options.tls,
    });
    for (const secret of secretsOf(authentication)) this.#redaction.add(secret);
    // The client secret as the token request's header carries it, which a server may quote.
    if (authentication.clientSecret !== undefined) this.#redaction.add(basicPair(authentication));
  }

  authorize(): Authorization | Promise<Authorization> {
    const held = this.#held;
    if (held && held.endsAtMs > this.#monotonicMs()) return held.authorization;
    this.#requesting ??= this.#request().finally(() => {
      this.#requesting = undefined;
    });
    return this.#requesting;
  }

  discardRejected(headers: Headers): boolean {
    // Another delivery may have replaced the token already: then the request is sent with the new one.
    if (this.#held?.authorization.headers['authorization'] === headers['authorization']) this.#forget();
    return true;
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #request(): Promise<Authorization> {
    const answer = await requestToken(this.#pool, this.#authentication);
    if ('failure' in answer) {
      const reason = `no token: ${this.#redaction.apply(answer.failure, SHOWN_FAILURE_CHARS)}`;
      const { isBlocked, operatorDetail } = answer;
      const detail = operatorDetail === undefined ? {} : { operatorDetail };
      if (isBlocked) return { outcome: { kind: 'blocked', failure: 'egress', reason, ...detail } };
      return { outcome: { kind: 'deauthorized', failure: 'token', reason, ...detail } };
    }
    this.#forget();
    const { token } = answer;
    const lifetimeMs = token.lifetimeMs ?? ASSUMED_LIFETIME_MS;
    const authorization = { headers: { authorization: `Bearer ${token.value}` } };
    const endsAtMs = this.#monotonicMs() + lifetimeMs - Math.min(EARLY_MS, lifetimeMs * EARLY_SHARE);
    this.#held = { authorization, token, endsAtMs };
    this.#redaction.add(token.value);
    return authorization;
  }

  #forget(): void {
    if (this.#held) this.#redaction.retire(this.#held.token.value);
    this.#held = undefined;
  }
}
