/** The routes for browsers outside of the API: the pages, and the redirects to an OpenID provider and back. */
import { systemClock } from '@databridge/kernel/time/clock';
import type { FastifyInstance } from 'fastify';
import type { Api } from '../api/context.ts';
import { type OidcSignIn, type PendingSignIn, RETURN_PATH } from './oidc-sign-in.ts';
import type { PortalFiles } from './portal-files.ts';
import { servePortal } from './serve-portal.ts';
import { cookieOf, sessionCookie } from './session-cookie.ts';
import type { Sessions } from './sessions.ts';

export interface PortalParts {
  readonly files: PortalFiles;
  /** If omitted, users sign in with a token or a link. */
  readonly oidc?: OidcSignIn;
}

/** `Lax`, because the browser comes back from the provider's site, where it would omit a strict cookie. */
const PENDING = '__Host-databridge-sign-in';
const PENDING_SECONDS = 600;

export function portalRoutes(api: Api, { files, oidc }: PortalParts, sessions: Sessions): void {
  const config = { access: 'open' } as const;
  const schema = { hide: true };
  api.get('/portal/sign-in-ways', { config, schema }, async () => ({ oidc: oidc !== undefined }));
  servePortal(api as unknown as FastifyInstance, files);
  if (oidc === undefined) return;

  api.get('/portal/sign-in/oidc', { config, schema }, async (_request, reply) => {
    const { url, pending } = await oidc.begin();
    const value = [pending.state, pending.nonce, pending.verifier].join('~');
    return reply
      .header('set-cookie', `${PENDING}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=${PENDING_SECONDS}`)
      .header('cache-control', 'no-store')
      .redirect(url, 303);
  });

  api.get(RETURN_PATH, { config, schema }, async (request, reply) => {
    const pending = pendingIn(request.headers.cookie);
    const query = request.url.split('?').slice(1).join('?');
    const caller = pending && (await oidc.finish(query, pending));
    const cookies = [`${PENDING}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0`];
    reply.header('cache-control', 'no-store');
    if (caller === undefined) {
      return reply.header('set-cookie', cookies).redirect('/portal/sign-in?refused=provider', 303);
    }
    const { secret, expiresAtMs } = await sessions.begin(caller, 'oidc', systemClock.nowMs());
    return reply.header('set-cookie', [...cookies, sessionCookie(secret, expiresAtMs)]).redirect('/portal/', 303);
  });
}

function pendingIn(cookies: string | undefined): PendingSignIn | undefined {
  const [state, nonce, verifier] = cookieOf(cookies, PENDING)?.split('~') ?? [];
  return state && nonce && verifier ? { state, nonce, verifier } : undefined;
}
