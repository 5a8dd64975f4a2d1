import type { Secret } from '@databridge/kernel/secrets/secret';
import type { OAuthAuthentication, OAuthParameters } from '@databridge/schemas/subscription/authentication';
import {
  allowInsecureRequests,
  type Client,
  type ClientAuth,
  ClientSecretPost,
  clientCredentialsGrantRequest,
  customFetch,
  processClientCredentialsResponse,
  ResponseBodyError,
} from 'oauth4webapi';
import { CONNECT_TIMEOUT_MS } from '../egress/dispatcher.ts';
import type { EgressPool } from '../egress/egress-pool.ts';
import { type Answered, type ExchangeLimits, exchange, type Seen } from '../egress/exchange.ts';

/** A token server that takes longer is in trouble. */
const TIMEOUT_MS = 10_000;
const LIMITS: ExchangeLimits = {
  timeoutMs: TIMEOUT_MS,
  connectTimeoutMs: CONNECT_TIMEOUT_MS,
  headersTimeoutMs: TIMEOUT_MS,
  bodyTimeoutMs: TIMEOUT_MS,
  keptBytes: 65_536,
};
const SHOWN_ANSWER_CHARS = 300;

export interface Token {
  readonly value: string;
  /** As the server says; undefined when it doesn't. */
  readonly lifetimeMs: number | undefined;
}

/** A token, or why there is none: in the server's words, not redacted yet. */
export type TokenAnswer =
  | { readonly token: Token }
  /** `isBlocked`: the server's address is one that we don't send to. */
  | { readonly failure: string; readonly isBlocked: boolean };

/**
 * One token request. oauth4webapi shapes it and reads the answer (RFC 6749 §4.4, §2.3.1); what customers' servers want
 * beyond the RFC (GET, PUT, values in the query) is done to the request on its way out.
 */
export async function requestToken(
  pool: EgressPool,
  authentication: OAuthAuthentication<Secret>,
): Promise<TokenAnswer> {
  const { clientId, clientSecret, clientAuthentication, scope, audience } = authentication;
  const server = { issuer: new URL(authentication.tokenUrl).origin, token_endpoint: authentication.tokenUrl };
  const client: Client = { client_id: clientId };
  const secret = clientSecret.reveal();
  const byClient = clientAuthentication === 'header' ? inHeader(authentication) : ClientSecretPost(secret);
  const parameters = {
    ...revealed(authentication.body),
    ...(scope !== undefined && { scope }),
    ...(audience !== undefined && { audience }),
  };
  let seen: Seen | undefined;
  try {
    const response = await clientCredentialsGrantRequest(server, client, byClient, parameters, {
      headers: revealed(authentication.headers),
      // Whether plain http may be used is decided where it is dialled.
      [allowInsecureRequests]: true,
      [customFetch]: async (url, { headers, body }) => {
        const target = new URL(url);
        const shaped = shape(authentication, target, headers, body as URLSearchParams);
        seen = await ask(pool, target, shaped);
        if ('trouble' in seen) throw new Error(seen.trouble);
        return asResponse(seen);
      },
    });
    const answer = await processClientCredentialsResponse(server, client, response);
    const { access_token: value, expires_in: lifetimeSeconds } = answer;
    return { token: { value, lifetimeMs: lifetimeSeconds === undefined ? undefined : lifetimeSeconds * 1_000 } };
  } catch (error) {
    return {
      failure: inWords(error as Error, seen),
      isBlocked: seen !== undefined && 'trouble' in seen && seen.isBlocked,
    };
  }
}

/**
 * In place of the library's own, which percent-encodes even - and _ : allowed, but servers that don't decode at all
 * (there are many) then know no client whose id is a UUID.
 */
function inHeader(authentication: OAuthAuthentication<Secret>): ClientAuth {
  return (_server, _client, _body, headers) => {
    headers.set('authorization', `Basic ${basicPair(authentication)}`);
  };
}

/** RFC 6749 §2.3.1: id and secret form-encoded, then put together. */
export function basicPair({ clientId, clientSecret }: OAuthAuthentication<Secret>): string {
  const encoded = [clientId, clientSecret.reveal()].map((part) =>
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

/** As oauth4webapi reads it: any success is 200, and a challenge doesn't hide the error that stands in the body. */
function asResponse({ status, headers, body }: Answered): Response {
  const contentType = headers['content-type'];
  return new Response(withoutIdToken(body), {
    status: status >= 200 && status < 300 ? 200 : status,
    headers: typeof contentType === 'string' ? { 'content-type': contentType } : {},
  });
}

/**
 * Who asks for the scope `openid` is given an ID token as well. We have no use for it, and oauth4webapi would check it
 * against an issuer that nobody told us.
 */
function withoutIdToken(body: string): string {
  try {
    const answer: unknown = JSON.parse(body);
    if (typeof answer !== 'object' || answer === null || !('id_token' in answer)) return body;
    const { id_token: _unused, ...others } = answer;
    return JSON.stringify(others);
  } catch {
    // No JSON: oauth4webapi says so.
    return body;
  }
}

function inWords(error: Error, seen: Seen | undefined): string {
  if (error instanceof ResponseBodyError) {
    const description = error.error_description === undefined ? '' : `: ${error.error_description}`;
    return `status ${error.status}, ${error.error}${description}`;
  }
  if (seen === undefined) return error.message;
  if ('trouble' in seen) return seen.trouble;
  const { status, body } = seen;
  // What came with a success may be a token in disguise: never shown.
  if (status >= 200 && status < 300) return `status ${status}, but ${error.message}`;
  return body === '' ? `status ${status}` : `status ${status}: ${body.slice(0, SHOWN_ANSWER_CHARS)}`;
}

function revealed(parameters: OAuthParameters<Secret>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : value.secret.reveal(),
    ]),
  );
}

/** All that must not be quoted of what a token server says. */
export function secretsOf({ clientSecret, headers, query, body }: OAuthAuthentication<Secret>): Secret[] {
  const values = [headers, query, body].flatMap((parameters) => Object.values(parameters));
  return [clientSecret, ...values.flatMap((value) => (typeof value === 'string' ? [] : [value.secret]))];
}
