import type { FastifyInstance } from 'fastify';

/**
 * Collects the routes that are added from now on.
 * @returns the methods of the path, by the route with the fewest parameters that fits it; none if there is no such path
 */
export function methodsByPath(api: FastifyInstance): (path: string) => readonly string[] {
  const paths: { readonly pattern: RegExp; readonly parameters: number; readonly method: string }[] = [];
  api.addHook('onRoute', ({ url, method }) => {
    const pattern = new RegExp(`^${url.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')}$`);
    const parameters = url.split(':').length - 1;
    paths.push(...[method].flat().map((one) => ({ pattern, parameters, method: one })));
  });
  return (path) => {
    const fitting = paths.filter(({ pattern }) => pattern.test(path));
    const fewest = Math.min(...fitting.map(({ parameters }) => parameters));
    return fitting.filter(({ parameters }) => parameters === fewest).map(({ method }) => method);
  };
}
