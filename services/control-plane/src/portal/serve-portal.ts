import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type PortalFile, type PortalFiles, portalFile } from './portal-files.ts';

/** Only our own scripts and styles, nothing inline, no conversion of text to script, and no framing. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  vary: 'accept-encoding',
};

/** The portal's pages under `/portal/`. They contain no data: everything that they show comes from the API. */
export function servePortal(api: FastifyInstance, files: PortalFiles): void {
  const config = { access: 'open', isStatic: true } as const;
  const schema = { hide: true };
  api.get('/portal', { config, schema }, (_request, reply) => reply.redirect('/portal/', 308));
  api.get('/portal/*', { config, schema }, (request, reply) => {
    const file = portalFile(files, (request.params as { '*': string })['*']);
    if (file === undefined) return reply.code(404).headers(HEADERS).type('text/plain').send('No such file\n');
    return send(file, request, reply);
  });
}

function send(file: PortalFile, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const isKnown = request.headers['if-none-match'] === file.etag;
  const encoding = (['br', 'gzip'] as const).find((one) => file[one] !== undefined && acceptsEncoding(request, one));
  reply
    .headers(HEADERS)
    .header('etag', file.etag)
    .header('cache-control', file.isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache');
  if (isKnown) return reply.code(304).send();
  if (encoding !== undefined) reply.header('content-encoding', encoding);
  return reply.type(file.type).send(file[encoding ?? 'plain']);
}

function acceptsEncoding({ headers }: FastifyRequest, name: string): boolean {
  return String(headers['accept-encoding'] ?? '')
    .split(',')
    .some((one) => one.trim().split(';')[0] === name);
}
