/** A failure of our egress proxy becomes the outcome `blocked`: customers wait, and no attempt is spent. */
import { DatabridgeError } from '@databridge/kernel/errors';
import type { Connector } from './egress-guard.ts';

/** The egress policy refused the address; that error has its own text. */
const isSaid = (error: Error & { code?: string }) => error.code === 'DB_EGRESS_REFUSED';
/** Customers read this text, so it does not name the proxy's address. */
const fault = (why: string, cause: Error) =>
  new DatabridgeError('DB_EGRESS_PROXY', `our egress proxy ${why}`, { cause });

/** @param dial connects to the proxy */
export function dialedProxy(dial: Connector): Connector {
  return (target, callback) =>
    dial(target, (...result) => {
      const [error] = result;
      if (error === null || isSaid(error)) callback(...result);
      else callback(fault(`can't be reached (${(error as NodeJS.ErrnoException).code ?? 'it failed'})`, error), null);
    });
}

/**
 * @param tunnel asks the proxy for a tunnel. If it rejects our credentials (407, or 401 from some proxies) or refuses
 *   the target (403), our proxy is at fault; if it cannot connect (5xx), the destination is, as it would be without a
 *   proxy
 */
export function tunnelledByProxy(tunnel: Connector): Connector {
  return (target, callback) =>
    tunnel(target, (...result) => {
      const [error] = result;
      // undici offers no other place for the status.
      const status = error === null ? undefined : /^Proxy response \((401|403|407)\)/.exec(error.message)?.[1];
      if (error === null || status === undefined) callback(...result);
      else callback(fault(`refuses (status ${status})`, error), null);
    });
}
