/**
 * Limits of a subscription as people write it. The stored one is larger: each secret is sealed, and may have a
 * fallback. With these limits it stays under a megabyte, so it fits a record whatever changes later.
 */
import type { Issue } from './issue-words.ts';

export const MAX_FILTER_CHARS = 2_000;
export const MAX_SUBSCRIPTION_BYTES = 262_144;
/**
 * The limit of values in each of `headers`, `query` and `body` of an OAuth token request: each may be a secret, which
 * is sealed by itself.
 */
const MAX_OAUTH_PARAMETERS = 32;

export function sizeIssues(subscription: { readonly authentication: object }): Issue[] {
  const bytes = Buffer.byteLength(JSON.stringify(subscription));
  const issues: Issue[] = [];
  if (bytes > MAX_SUBSCRIPTION_BYTES) {
    issues.push({
      path: [],
      message: `is ${bytes.toLocaleString('en')} bytes as JSON; at most ${MAX_SUBSCRIPTION_BYTES.toLocaleString('en')} are allowed`,
    });
  }
  const { authentication } = subscription;
  for (const place of ['headers', 'query', 'body'] as const) {
    const parameters: unknown = (authentication as Record<string, unknown>)[place];
    const count = typeof parameters === 'object' && parameters !== null ? Object.keys(parameters).length : 0;
    if (count <= MAX_OAUTH_PARAMETERS) continue;
    const message = `contains ${count} parameters; at most ${MAX_OAUTH_PARAMETERS} are allowed`;
    issues.push({ path: ['authentication', place], message });
  }
  return issues;
}
