import { type LookupAddress, type LookupAllOptions, lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { EgressPolicy } from '@databridge/kernel/egress/egress-policy';
import { DatabridgeError } from '@databridge/kernel/errors';
import { buildConnector } from 'undici';

export type ConnectOptions = buildConnector.BuildOptions;
export type Connector = buildConnector.connector;

/** `dns.lookup`, or one that asks another resolver. */
export type Lookup = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** Nothing was sent. Becomes the outcome `blocked`. */
const refused = (why: string) => new DatabridgeError('DB_EGRESS_REFUSED', why);

/**
 * Dials for everything that customers name: destinations, token endpoints, and the way there through a proxy. The
 * address that was judged is the address that is dialled, so it gains nothing to answer the next query differently:
 *
 *     scheme ─▶ host, if it is an address ─▶ resolve, once ─▶ every address found ─▶ dial these ─▶ the peer's address
 *
 * Node does not look up what is an address already, and asks again for each socket: so the host is judged apart from
 * the lookup, and the lookup is the one that the socket itself uses.
 */
export class EgressGuard {
  readonly #policy: EgressPolicy;
  readonly #lookup: Lookup;

  constructor(policy: EgressPolicy, lookup: Lookup = systemLookup) {
    this.#policy = policy;
    this.#lookup = lookup;
  }

  /** @param options what TLS needs (`ca`, `cert`, `key`), `timeout` in ms, `allowH2` */
  connect(options: ConnectOptions): Connector {
    const dial = this.connectToProxy(options);
    return (target, callback) => {
      const refusal = this.#policy.schemeRefusal(target.protocol);
      if (refusal !== undefined) return refuse(`${target.hostname}: ${refusal}`, callback);
      dial(target, callback);
    };
  }

  /** As {@link connect}, and plain http is fine: what passes a proxy in the clear is the request for a tunnel. */
  connectToProxy(options: ConnectOptions): Connector {
    const dial = buildConnector({ ...options, lookup: this.#checkedLookup() });
    return (target, callback) => {
      const { hostname } = target;
      const refusal = this.#policy.hostRefusal(hostname);
      if (refusal !== undefined) return refuse(`the URL ${refusal}`, callback);
      dial(target, (...result) => {
        const [, socket] = result;
        // Already settled by the two checks before; this one holds even if a new Node dials in a way that they miss.
        const peer = socket?.remoteAddress;
        const peerRefusal = peer === undefined ? undefined : this.#policy.addressRefusal(peer);
        if (peerRefusal === undefined) return callback(...result);
        socket?.destroy();
        refuse(wordsFor(hostname, peerRefusal), callback);
      });
    };
  }

  /**
   * What lies behind a proxy is dialled by the proxy: the target is judged by what its name means here, and what it
   * means there is the proxy's to judge. A name that means nothing here passes, as workers behind proxies often have
   * no DNS.
   */
  throughProxy(tunnel: Connector): Connector {
    return (target, callback) => {
      const { hostname, protocol } = target;
      const refusal = this.#policy.schemeRefusal(protocol) ?? this.#policy.hostRefusal(hostname);
      if (refusal !== undefined) return refuse(`${hostname}: ${refusal}`, callback);
      if (isIP(hostname) !== 0) return tunnel(target, callback);
      this.#lookup(hostname, { all: true }, (_error, addresses = []) => {
        const found = this.#firstRefusal(addresses);
        if (found !== undefined) return refuse(wordsFor(hostname, found), callback);
        tunnel(target, callback);
      });
    };
  }

  /** One address that is refused is enough: an honest name does not have both kinds. */
  #firstRefusal(addresses: readonly LookupAddress[]): string | undefined {
    for (const { address } of addresses) {
      const refusal = this.#policy.addressRefusal(address);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  #checkedLookup(): LookupFunction {
    return (hostname, options, callback) => {
      this.#lookup(hostname, { ...options, all: true }, (error, addresses = []) => {
        if (error) return callback(error, []);
        const refusal = this.#firstRefusal(addresses);
        if (refusal !== undefined) return callback(refused(wordsFor(hostname, refusal)), []);
        const [first] = addresses;
        if (first === undefined) return callback(new Error(`${hostname} has no address`), []);
        if (options.all) callback(null, addresses);
        else callback(null, first.address, first.family);
      });
    };
  }
}

/** The address itself is left out: what a name means inside our network is none of the customer's business. */
function wordsFor(hostname: string, refusal: string): string {
  return `${hostname} has an address that may not be sent to: it ${refusal}`;
}

/** Never within the call itself: no client expects that. */
function refuse(why: string, callback: buildConnector.Callback): void {
  process.nextTick(callback, refused(why), null);
}
