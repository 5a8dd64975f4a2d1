/**
 * The request target, in the single spelling that all parsers read in the same way. Node, the router, a proxy before us
 * and an HTTP client behind us each have their own parser: a target that two of them read differently passes the checks
 * of one and reaches another route behind the other (RFC 9112 §3.2, RFC 3986 §3.3 and §6.2.2).
 */
import { DatabridgeError } from '@databridge/kernel/errors';
import type { FastifyInstance, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Path parameters that may contain an encoded `/`, `\` or `%`, such as an id that a producer chose. */
    opaqueParams?: readonly string[];
    /** The path names one of a few files, which is looked up by its exact name and never forwarded. */
    isStatic?: boolean;
  }
}

const SEGMENT = /^(?:[\w.~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*$/;
const QUERY = /^(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*$/;
const SEPARATOR = /[/\\%]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\x00-\x1f\x7f-\x9f]/;

/** Refuses ambiguous targets with 400 before any other code examines the request. */
export function refuseAmbiguousTargets(api: FastifyInstance): void {
  api.addHook('onRequest', async (request) => {
    const { url: pattern = '', config } = request.routeOptions;
    if (config?.isStatic === true) return;
    const mistake = targetMistake(request.raw.url ?? '', pattern, config?.opaqueParams);
    if (mistake !== undefined) throw new DatabridgeError('DB_TARGET_REFUSED', `The request target ${mistake}`);
  });
}

/**
 * @param pattern of the route that matched, such as `/v1/subscriptions/:customer`
 * @returns the mistake in the target, as the end of a sentence; it quotes nothing
 */
export function targetMistake(target: string, pattern = '', opaqueParams: readonly string[] = []): string | undefined {
  if (!target.startsWith('/')) return 'must be a path that begins with "/": send no scheme, host or "*"';
  if (target.includes('\\')) return 'contains a backslash; encode values as UTF-8 percent-encoding';
  const [path = '', ...query] = target.split('?');
  const names = pattern.split('/');
  for (const [index, segment] of path.split('/').entries()) {
    if (index === 0) continue;
    const name = names[index]?.startsWith(':') ? names[index].slice(1) : '';
    const mistake = segmentMistake(segment, opaqueParams.includes(name));
    if (mistake !== undefined) return mistake;
  }
  if (/\/\/|.\/$/.test(path)) return 'contains an empty path segment; remove the doubled or trailing "/"';
  const text = query.join('?');
  if (!QUERY.test(text)) return 'contains a character in its query string that has to be percent-encoded';
  return decoded(text) === undefined ? 'is not valid UTF-8 after percent-decoding' : undefined;
}

function segmentMistake(segment: string, isOpaque: boolean): string | undefined {
  if (!SEGMENT.test(segment)) return 'contains a character in its path that has to be percent-encoded';
  const text = decoded(segment);
  if (text === undefined) return 'is not valid UTF-8 after percent-decoding';
  if (text === '.' || text === '..') return 'contains a dot segment ("." or "..", possibly percent-encoded)';
  if (CONTROL.test(text)) return 'contains a percent-encoded control character';
  if (!isOpaque && SEPARATOR.test(text)) {
    return 'contains a percent-encoded "/", "\\" or "%" (double encoding) in its path; names on this path never contain these';
  }
  return undefined;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/**
 * The path and query of the request in canonical form, made from the matched route, its decoded parameters and its
 * decoded query. Two requests with the same meaning have the same form; the raw target is not used.
 */
export function canonicalTarget(request: Pick<FastifyRequest, 'routeOptions' | 'params' | 'query'>): string {
  const params = request.params as Readonly<Record<string, string>>;
  const path = (request.routeOptions.url ?? '/').replaceAll(/:(\w+)/g, (_, name: string) =>
    encodeURIComponent(params[name] ?? ''),
  );
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(request.query as Readonly<Record<string, string | string[]>>)) {
    for (const one of [value].flat()) query.append(name, one);
  }
  return query.size === 0 ? path : `${path}?${query}`;
}
