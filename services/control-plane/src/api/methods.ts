import type { FastifyInstance } from 'fastify';

/** Collects the routes that are added from now on. @returns the methods of the path; none if there is no such path */
export function methodsByPath(api: FastifyInstance): (path: string) => readonly string[] {
  const paths: { readonly pattern: RegExp; readonly method: string }[] = [];
  api.addHook('onRoute', ({ url, method }) => {
    const pattern = new RegExp(`^${url.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')}$`);
    paths.push(...[method].flat().map((one) => ({ pattern, method: one })));
  });
  return (path) => paths.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
}
