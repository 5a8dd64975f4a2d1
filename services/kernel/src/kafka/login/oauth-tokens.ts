import {
  allowInsecureRequests,
  ClientSecretBasic,
  clientCredentialsGrantRequest,
  processClientCredentialsResponse,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'oauth4webapi';
import { messageOf } from '../../errors.ts';
import { sharedToken, type TokenSource } from './shared-token.ts';

export interface OauthClient {
  readonly tokenUrl: URL;
  readonly clientId: string;
  readonly secret: () => string;
  readonly scope: string | undefined;
}

/** A margin, so that no login uses a token that expires on the way. */
const RENEW_BEFORE_MS = 30_000;
const ANSWER_WITHIN_MS = 10_000;

/** Tokens for SASL/OAUTHBEARER (RFC 7628) by OAuth's client credentials (RFC 6749, 4.4). */
export function oauthTokens({ tokenUrl, clientId, secret, scope }: OauthClient): TokenSource {
  const server = { issuer: tokenUrl.origin, token_endpoint: tokenUrl.href };
  const client = { client_id: clientId };
  const request = async () => {
    const asked = new URLSearchParams(scope === undefined ? {} : { scope });
    const answer = await clientCredentialsGrantRequest(server, client, ClientSecretBasic(secret()), asked, {
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      // Plain http is allowed for a token endpoint beside the service, such as a sidecar's.
      [allowInsecureRequests]: tokenUrl.protocol === 'http:',
    });
    return await processClientCredentialsResponse(server, client, answer);
  };
  return sharedToken(async () => {
    try {
      const { access_token: value, expires_in: seconds = 0 } = await request();
      return { value, usedForMs: seconds * 1_000 - RENEW_BEFORE_MS };
    } catch (error) {
      throw new Error(`The token endpoint ${tokenUrl.href} ${refusalText(error, clientId)}`, { cause: error });
    }
  });
}

function refusalText(error: unknown, clientId: string): string {
  if (error instanceof WWWAuthenticateChallengeError) return `refused the client "${clientId}": status ${error.status}`;
  if (error instanceof ResponseBodyError) {
    return `refused the client "${clientId}": ${error.error}, status ${error.status}`;
  }
  return `gave no token: ${messageOf(error)}`;
}
