import { isIP } from 'node:net';
import { CidrList, groupsOf } from './cidr-list.ts';
import {
  BAD_PORTS,
  GLOBAL_UNICAST,
  METADATA_ADDRESSES,
  NAT64,
  SPECIAL_IPV4,
  SPECIAL_IPV6,
  type SpecialRange,
} from './special-ranges.ts';

export interface EgressRules {
  /** Ranges that may be dialed although they are not public: private peers, or loopback in tests. */
  readonly allowCidrs: readonly string[];
  /** Ranges that may not be dialed although they are public: the operator's own network, if it has public addresses. */
  readonly denyCidrs: readonly string[];
  /** True if plain http is allowed; otherwise only https is. */
  readonly allowHttp: boolean;
}

/** The reason, which completes "`<address or URL>` …". Undefined: it may be used. */
export type Refusal = string | undefined;

const listsOf = (ranges: readonly SpecialRange[]) =>
  ranges.map(([cidr, what]) => ({ list: new CidrList([cidr]), what }));
const SPECIAL = { 4: listsOf(SPECIAL_IPV4), 6: listsOf(SPECIAL_IPV6) } as const;
const METADATA = new CidrList(METADATA_ADDRESSES);
const GLOBAL = new CidrList([GLOBAL_UNICAST]);
const IN_NAT64 = new CidrList([NAT64]);

/**
 * Decides which addresses and URLs events may be sent to. Pure: the check when a subscription is saved is the same as
 * the one when a socket is opened, and only the latter protects.
 */
export class EgressPolicy {
  readonly #allowed: CidrList;
  readonly #denied: CidrList;
  readonly #allowHttp: boolean;

  constructor({ allowCidrs, denyCidrs, allowHttp }: EgressRules) {
    this.#allowed = new CidrList(allowCidrs);
    this.#denied = new CidrList(denyCidrs);
    this.#allowHttp = allowHttp;
  }

  /** @param address as a resolver returns it. Anything that is not an address is refused */
  addressRefusal(address: string): Refusal {
    const family = isIP(address);
    if (family === 0) return 'is not an IP address';
    // Only link-local addresses need a zone, and its text could be anything.
    if (address.includes('%')) return 'is an address with a zone, which only this host understands';
    if (METADATA.has(address)) return 'is an address of the cloud itself (instance metadata), which is never allowed';
    if (this.#denied.has(address)) return 'is in a range that this installation refuses';
    if (this.#allowed.has(address)) return this.#translatedRefusal(address);
    const special = SPECIAL[family === 4 ? 4 : 6].find(({ list }) => list.has(address));
    if (special) return `is ${special.what}, and not public`;
    return family === 6 && !GLOBAL.has(address) ? 'is not a public address' : undefined;
  }

  /** Checks what a URL shows without name resolution: scheme, port, and the host if it is an address. */
  urlRefusal(url: URL): Refusal {
    if (url.username !== '' || url.password !== '') return 'must not contain credentials';
    return (
      this.schemeRefusal(url.protocol) ??
      portRefusal(url.port === '' ? undefined : Number(url.port)) ??
      this.hostRefusal(url.hostname)
    );
  }

  /** @param protocol with its colon, as in a URL */
  schemeRefusal(protocol: string): Refusal {
    if (protocol === 'https:' || (protocol === 'http:' && this.#allowHttp)) return undefined;
    return protocol === 'http:' ? 'must use https: plain http is not allowed here' : 'must use https';
  }

  /**
   * @param hostname as the URL parser returns it. A name that is not special by itself passes: the addresses that it
   *   resolves to are checked
   */
  hostRefusal(hostname: string): Refusal {
    const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
    const address = isLocalhost(bare) ? '127.0.0.1' : bare;
    if (isIP(address) === 0) return undefined;
    const refusal = this.addressRefusal(address);
    return refusal && `has the host ${bare}, which ${refusal}`;
  }

  /**
   * Allowing the range of a translator means trusting the translator; it does not allow private addresses behind it.
   */
  #translatedRefusal(address: string): Refusal {
    if (isIP(address) === 4 || !IN_NAT64.has(address)) return undefined;
    const [high = 0, low = 0] = groupsOf(address).slice(-2);
    const inner = [high >> 8, high & 255, low >> 8, low & 255].join('.');
    const refusal = this.addressRefusal(inner);
    return refusal && `contains an IPv4 address that ${refusal}`;
  }
}

function portRefusal(port: number | undefined): Refusal {
  if (port === undefined || !BAD_PORTS.has(port)) return undefined;
  return `has the port ${port}, where something else than HTTP is spoken`;
}

/** RFC 6761 §6.3: these names are loopback, whatever a resolver answers. */
function isLocalhost(hostname: string): boolean {
  return /^(.+\.)?localhost\.?$/i.test(hostname);
}
