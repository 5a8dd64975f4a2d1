/** A failure of our egress proxy becomes the outcome `blocked`: customers wait, and no attempt is spent. */
import { DatabridgeError } from '@databridge/kernel/errors';
import type { Connector } from './egress-guard.ts';

/** The egress policy refused the address; that error has its own words. */
const isSaid = (error: Error & { code?: string }) => error.code === 'DB_EGRESS_REFUSED';
/** Customers read this: it does not name the proxy's address. */
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
 * @param tunnel asks the proxy for a tunnel. That it won't have us (407, of some 401), or won't go there (403), is between it and
 *   us; that it can't (5xx) is the destination's trouble, as it would be without a proxy
 */
export function tunnelledByProxy(tunnel: Connector): Connector {
  return (target, callback) =>
    tunnel(target, (...result) => {
      const [error] = result;
      // undici has no other place for the status.
      const status = error === null ? undefined : /^Proxy response \((401|403|407)\)/.exec(error.message)?.[1];
      if (error === null || status === undefined) callback(...result);
      else callback(fault(`refuses (status ${status})`, error), null);
    });
}
