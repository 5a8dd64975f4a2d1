/**
 * Headers that a subscription may not set, although a request may have them: proxies, browsers and Databridge set them.
 */
import type { Issue } from './issue-words.ts';

/**
 * A customer's value would break the request, or would make a server behind the destination's proxy mistake the sender.
 * The headers that header-rules.ts refuses are refused in stored subscriptions too; these, only in new ones.
 */
const RESERVED = new Set([
  'user-agent',
  'max-forwards',
  // Headers of a single connection (RFC 9110 §7.6.1, RFC 9113 §8.2.2).
  'http2-settings',
  'proxy-connection',
  'alt-used',
  // The sender, as proxies state it (RFC 9110 §7.6.3, RFC 7239, RFC 9440), and non-standard variants.
  'via',
  'forwarded',
  'client-ip',
  'true-client-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-real-ip',
  'x-original-forwarded-for',
  'x-original-host',
  'x-remote-addr',
  'x-remote-ip',
  'cdn-loop',
  'early-data',
  'client-cert',
  'client-cert-chain',
  'tracestate',
]);
const RESERVED_FAMILY =
  /^(proxy-|sec-|access-control-|x-forwarded|x-envoy-|cf-connecting-|fastly-client-|webhook-|databridge-|ce-)/;

function isReservedHeader(name: string): boolean {
  // Servers that pass headers as variables (CGI, WSGI) treat x_forwarded_for as x-forwarded-for.
  const canonical = name.toLowerCase().replaceAll('_', '-');
  return RESERVED.has(canonical) || RESERVED_FAMILY.test(canonical);
}

interface NamesHeaders {
  readonly destination: { readonly type: string; readonly headers?: Readonly<Record<string, string>> };
  readonly authentication: { readonly type: string; readonly name?: string; readonly headers?: object };
}

/** All places where a subscription names a header: in requests of events, in the API key, in token requests. */
export function reservedHeaderIssues({ destination, authentication }: NamesHeaders): Issue[] {
  const places: (readonly [path: string[], name: string])[] = [
    ...Object.keys(destination.headers ?? {}).map((name) => [['destination', 'headers', name], name] as const),
    ...Object.keys(authentication.headers ?? {}).map((name) => [['authentication', 'headers', name], name] as const),
    ...(authentication.type === 'api-key' ? [[['authentication', 'name'], authentication.name ?? ''] as const] : []),
  ].map(([path, name]) => [[...path], name]);
  return places.flatMap(([path, name]) =>
    isReservedHeader(name)
      ? [{ path, message: `is set by Databridge itself or by proxies on the way (${name}); choose another header` }]
      : [],
  );
}
