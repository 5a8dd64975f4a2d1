import { DatabridgeError } from '@databridge/kernel/errors';
import type { FastifyInstance, HTTPMethods } from 'fastify';

/** What else somebody may try on a path that is there. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'QUERY'] as const;

/** Notes the methods of every route from now on. @returns has all others answer 405 and say which there are (RFC 9110 §15.5.6) */
export function refuseOtherMethods(api: FastifyInstance): () => void {
  const known = new Map<string, Set<string>>();
  api.addHook('onRoute', ({ url, method }) => {
    const methods = known.get(url) ?? new Set<string>();
    for (const one of [method].flat()) methods.add(one);
    known.set(url, methods);
  });
  return () => {
    for (const method of METHODS) if (!api.supportedMethods.includes(method)) api.addHttpMethod(method);
    for (const [url, methods] of [...known]) {
      const others = METHODS.filter((method) => !methods.has(method)) as HTTPMethods[];
      const allow = [...methods].sort().join(', ');
      api.route({
        method: others,
        url,
        config: { access: 'open' },
        schema: { hide: true },
        // Before the body is looked at: it is nobody's.
        onRequest: async (request, reply) => {
          reply.header('allow', allow);
          throw new DatabridgeError('DB_METHOD_NOT_ALLOWED', `${request.method} is not for this path; ${allow}`);
        },
        handler: () => undefined,
      });
    }
  };
}
