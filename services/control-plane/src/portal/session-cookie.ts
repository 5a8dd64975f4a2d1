/** The cookie that identifies a session, and the conditions for a request to use it. */
import { DatabridgeError } from '@databridge/kernel/errors';
import type { FastifyRequest } from 'fastify';

/**
 * `__Host-`: set by this host only, over TLS, for all paths. Browsers treat http://localhost and http://127.0.0.1 as
 * secure, too; Safari does not.
 */
const COOKIE = '__Host-databridge';

/** @returns the value of the session's cookie; undefined if there is none */
export function sessionSecretOf({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined {
  return cookieOf(headers.cookie, COOKIE);
}

/** @param text the request's `Cookie` header */
export function cookieOf(text: string | undefined, name: string): string | undefined {
  const found = (text ?? '').split(/; */).find((one) => one.startsWith(`${name}=`));
  const value = found?.slice(name.length + 1);
  return value === undefined || !/^[\w.~-]{1,2048}$/.test(value) ? undefined : value;
}

export function sessionCookie(secret: string, expiresAtMs: number): string {
  const expires = new Date(expiresAtMs).toUTCString();
  return `${COOKIE}=${secret}; Path=/; Secure; HttpOnly; SameSite=Strict; Expires=${expires}`;
}

export const NO_SESSION_COOKIE = `${COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0`;

/**
 * A browser sends the cookie by itself, so a request with it must come from our own pages: this is checked by `Origin`
 * for changes, and by `Sec-Fetch-Site` for all requests if the browser sends it.
 * @throws {DatabridgeError} DB_CROSS_ORIGIN
 */
export function refuseForeignPages({
  method,
  headers,
  host,
}: Pick<FastifyRequest, 'method' | 'headers' | 'host'>): void {
  const site = headers['sec-fetch-site'];
  const { origin } = headers;
  const isRead = method === 'GET' || method === 'HEAD';
  const isForeign =
    (site !== undefined && site !== 'same-origin') || (origin === undefined ? !isRead : hostOf(origin) !== host);
  if (!isForeign) return;
  throw new DatabridgeError(
    'DB_CROSS_ORIGIN',
    'The session of the portal is valid only for requests of its own pages; use a token: "Authorization: Bearer <token>"',
  );
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
