import { DatabridgeError } from '@databridge/kernel/errors';
import { readSetting } from '@databridge/kernel/settings/read-setting';
import { z } from 'zod';

/** An HTTP proxy, such as `http://user:password@proxy:3128`. */
export const proxyAddress = z
  .url({ protocol: /^https?$/, error: 'must be the http(s) address of a proxy' })
  .refine(isProxyAddress, {
    error: 'must be scheme, user name, password, host and port alone, with % in a password written as %25',
  });

export interface EgressProxySettings {
  readonly EGRESS_PROXY?: string | undefined;
  readonly EGRESS_PROXY_FILE?: string | undefined;
}

/**
 * The proxy for all outgoing connections. Its URL may contain a password, so it may come from a file.
 * @returns undefined if there is none
 * @throws {DatabridgeError} DB_CONFIG_INVALID; no message shows the URL
 */
export function egressProxy({ EGRESS_PROXY: given, EGRESS_PROXY_FILE: file }: EgressProxySettings): URL | undefined {
  if (given !== undefined && file !== undefined) {
    throw new DatabridgeError('DB_CONFIG_INVALID', 'Set one of EGRESS_PROXY and EGRESS_PROXY_FILE');
  }
  if (file === undefined) return given === undefined ? undefined : new URL(given);
  const read = proxyAddress.safeParse(readSetting('EGRESS_PROXY_FILE', file).trim());
  if (read.success) return new URL(read.data);
  const mistakes = read.error.issues.map(({ message }) => message).join('; ');
  throw new DatabridgeError('DB_CONFIG_INVALID', `EGRESS_PROXY_FILE: the content of ${file} ${mistakes}`);
}

/** Another rule reports a text that is not a URL. */
function isProxyAddress(url: string): boolean {
  const parsed = URL.parse(url);
  if (parsed === null) return true;
  const { username, password, pathname, search, hash } = parsed;
  try {
    decodeURIComponent(username + password);
  } catch {
    return false;
  }
  return pathname === '/' && search === '' && hash === '';
}
