import type { Secret } from '@databridge/kernel/secrets/secret';
import type { OAuthAuthentication, OAuthParameters } from '@databridge/schemas/subscription/authentication';
import {
  allowInsecureRequests,
  type Client,
  type ClientAuth,
  ClientSecretPost,
  clientCredentialsGrantRequest,
  customFetch,
} from 'oauth4webapi';
import { CONNECT_TIMEOUT_MS } from '../egress/dispatcher.ts';
import type { EgressPool } from '../egress/egress-pool.ts';
import { type ExchangeLimits, exchange, type Seen } from '../egress/exchange.ts';
import { byAssertion } from './client-assertion.ts';
import { readTokenAnswer, type Token } from './token-answer.ts';

/** Time limit of one token request. */
const TIMEOUT_MS = 10_000;
const LIMITS: ExchangeLimits = {
  timeoutMs: TIMEOUT_MS,
  connectTimeoutMs: CONNECT_TIMEOUT_MS,
  headersTimeoutMs: TIMEOUT_MS,
  bodyTimeoutMs: TIMEOUT_MS,
  keptBytes: 65_536,
};
/** A token, or the reason why there is none: the server's text, not yet redacted or truncated. */
export type TokenAnswer =
  | { readonly token: Token }
  /** `isBlocked`: the server's address is one that may not be called. */
  | { readonly failure: string; readonly isBlocked: boolean; readonly operatorDetail?: string };

/**
 * One token request. oauth4webapi composes it (RFC 6749 §4.4, §2.3.1); what customers' servers require beyond the RFC
 * (GET, PUT, values in the query) is applied to the request before it is sent. The answer is read more leniently than
 * the library does: `token-answer.ts`.
 */
export async function requestToken(
  pool: EgressPool,
  authentication: OAuthAuthentication<Secret>,
): Promise<TokenAnswer> {
  const { clientId, scope, audience } = authentication;
  const server = { issuer: new URL(authentication.tokenUrl).origin, token_endpoint: authentication.tokenUrl };
  const client: Client = { client_id: clientId };
  const parameters = {
    ...revealed(authentication.body),
    ...(scope !== undefined && { scope }),
    ...(audience !== undefined && { audience }),
  };
  let seen: Seen | undefined;
  try {
    const byClient = clientAuth(authentication);
    await clientCredentialsGrantRequest(server, client, byClient, parameters, {
      headers: revealed(authentication.headers),
      // The egress guard decides whether plain http is allowed.
      [allowInsecureRequests]: true,
      [customFetch]: async (url, { headers, body }) => {
        const target = new URL(url);
        seen = await ask(pool, target, shape(authentication, target, headers, body as URLSearchParams));
        return new Response(null);
      },
    });
  } catch (error) {
    return { failure: (error as Error).message, isBlocked: false };
  }
  if (seen === undefined) return { failure: 'no token request was sent', isBlocked: false };
  if ('trouble' in seen) {
    const { trouble, isBlocked, operatorDetail } = seen;
    return { failure: trouble, isBlocked, ...(operatorDetail !== undefined && { operatorDetail }) };
  }
  const reading = readTokenAnswer(seen);
  return 'token' in reading ? reading : { ...reading, isBlocked: false };
}

function clientAuth(authentication: OAuthAuthentication<Secret>): ClientAuth {
  switch (authentication.clientAuthentication) {
    case 'header':
      return inHeader(authentication);
    case 'body':
      return ClientSecretPost(authentication.clientSecret?.reveal() ?? '');
    case 'private-key-jwt':
      return byAssertion(authentication);
  }
}

/**
 * Replaces the library's own encoding, which percent-encodes even - and _. That is allowed, but many servers don't
 * decode at all, and then do not recognize a client whose id is a UUID.
 */
function inHeader(authentication: OAuthAuthentication<Secret>): ClientAuth {
  return (_server, _client, _body, headers) => {
    headers.set('authorization', `Basic ${basicPair(authentication)}`);
  };
}

/** RFC 6749 §2.3.1: id and secret are form-encoded, then joined. */
export function basicPair({ clientId, clientSecret }: OAuthAuthentication<Secret>): string {
  const encoded = [clientId, clientSecret?.reveal() ?? ''].map((part) =>
    new URLSearchParams({ '': part }).toString().slice(1),
  );
  return Buffer.from(encoded.join(':')).toString('base64');
}

interface Shaped {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly headers: Record<string, string>;
  readonly body: string | null;
}

function shape(
  { method, query }: OAuthAuthentication<Secret>,
  target: URL,
  headers: Record<string, string>,
  body: URLSearchParams,
): Shaped {
  for (const [name, value] of Object.entries(revealed(query))) target.searchParams.set(name, value);
  const withAgent = { 'user-agent': 'databridge-events/1', ...headers };
  if (method !== 'GET') return { method, headers: withAgent, body: body.toString() };
  for (const [name, value] of body) target.searchParams.set(name, value);
  const { 'content-type': _ofNoBody, ...others } = withAgent as Record<string, string>;
  return { method, headers: others, body: null };
}

function ask(pool: EgressPool, target: URL, { method, headers, body }: Shaped): Promise<Seen> {
  const request = { origin: target.origin, path: target.pathname + target.search, method, headers, body };
  return new Promise((resolve) => exchange(pool, request, LIMITS, resolve));
}

function revealed(parameters: OAuthParameters<Secret>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : value.secret.reveal(),
    ]),
  );
}

/** Every secret that a token server receives, and might quote. */
export function secretsOf({ clientSecret, headers, query, body }: OAuthAuthentication<Secret>): Secret[] {
  // A private key is not sent, so it can't be quoted.
  const values = [headers, query, body].flatMap((parameters) => Object.values(parameters));
  return [
    ...(clientSecret === undefined ? [] : [clientSecret]),
    ...values.flatMap((value) => (typeof value === 'string' ? [] : [value.secret])),
  ];
}
