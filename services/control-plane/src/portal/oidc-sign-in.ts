/** Signing in to the portal at an OpenID provider: authorization code with PKCE, on the server. */
import { DatabridgeError, messageOf } from '@databridge/kernel/errors';
import type { Logger } from '@databridge/kernel/log';
import type { Person } from '@databridge/kernel/secrets/tokens';
import type { JWTPayload } from 'jose';
import * as client from 'openid-client';
import { callerByClaims, type OidcSettings } from '../api/auth/oidc.ts';

export interface OidcSignInSettings extends Pick<OidcSettings, 'issuer' | 'roleClaim' | 'customerClaim'> {
  readonly clientId: string;
  /** If omitted, the client is a public one, which uses PKCE alone. */
  readonly clientSecret?: string;
  /** The origin at which browsers reach the portal. */
  readonly portalUrl: string;
}

/** The browser keeps it between leaving for the provider and coming back. It is of no use to anybody else. */
export interface PendingSignIn {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

export const RETURN_PATH = '/portal/signed-in';

export class OidcSignIn {
  readonly #settings: OidcSignInSettings;
  readonly #log: Logger;
  #provider: Promise<client.Configuration> | undefined;

  constructor(settings: OidcSignInSettings, log: Logger) {
    this.#settings = settings;
    this.#log = log;
  }

  /** @throws {DatabridgeError} DB_ISSUER_UNAVAILABLE */
  async begin(): Promise<{ readonly url: string; readonly pending: PendingSignIn }> {
    const provider = await this.#discovered();
    const pending = {
      state: client.randomState(),
      nonce: client.randomNonce(),
      verifier: client.randomPKCECodeVerifier(),
    };
    const url = client.buildAuthorizationUrl(provider, {
      redirect_uri: this.#returnUrl(),
      scope: 'openid',
      state: pending.state,
      nonce: pending.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(pending.verifier),
      code_challenge_method: 'S256',
    });
    return { url: url.href, pending };
  }

  /**
   * @param query of the address that the provider redirected the browser to
   * @returns who signed in; undefined if the provider refused, or its claims contain no role
   * @throws {DatabridgeError} DB_ISSUER_UNAVAILABLE
   */
  async finish(query: string, { state, nonce, verifier }: PendingSignIn): Promise<Person | undefined> {
    const provider = await this.#discovered();
    const url = new URL(`${this.#returnUrl()}?${query}`);
    try {
      const tokens = await client.authorizationCodeGrant(provider, url, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      });
      return callerByClaims(tokens.claims() as JWTPayload, this.#settings, this.#log);
    } catch (error) {
      this.#log.warn({ event: 'portal_sign_in_refused', reason: messageOf(error) }, 'sign-in to the portal refused');
      return undefined;
    }
  }

  #returnUrl(): string {
    return new URL(RETURN_PATH, this.#settings.portalUrl).href;
  }

  async #discovered(): Promise<client.Configuration> {
    const { issuer, clientId, clientSecret } = this.#settings;
    const url = new URL(issuer);
    // A provider on this machine is for testing; OpenID itself requires TLS.
    const execute = url.protocol === 'http:' ? [client.allowInsecureRequests] : [];
    this.#provider ??= client.discovery(
      url,
      clientId,
      clientSecret,
      clientSecret === undefined ? client.None() : undefined,
      {
        execute,
      },
    );
    try {
      return await this.#provider;
    } catch (error) {
      this.#provider = undefined;
      throw new DatabridgeError(
        'DB_ISSUER_UNAVAILABLE',
        `The identity provider ${issuer} does not answer; try again in a minute`,
        {
          cause: error,
        },
      );
    }
  }
}
