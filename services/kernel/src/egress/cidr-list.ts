import { BlockList, isIP } from 'node:net';

/** A set of addresses, with IPv4 and IPv6 kept apart. */
export class CidrList {
  /**
   * One list per family: in a shared list, Node matches `::ffff:0:0/96` with every IPv4 address, and `::ffff:127.0.0.1`
   * with `127.0.0.0/8`.
   */
  readonly #ipv4 = new BlockList();
  readonly #ipv6 = new BlockList();

  /** @param cidrs each must be a CIDR, or a single address: see {@link isCidr} */
  constructor(cidrs: Iterable<string>) {
    for (const cidr of cidrs) {
      const [address = '', prefix] = cidr.split('/');
      if (isIP(address) === 4) this.#ipv4.addSubnet(address, Number(prefix ?? 32), 'ipv4');
      else this.#ipv6.addSubnet(address, Number(prefix ?? 128), 'ipv6');
    }
  }

  /** @param address IPv4 or IPv6, without a zone */
  has(address: string): boolean {
    return isIP(address) === 4 ? this.#ipv4.check(address, 'ipv4') : this.#ipv6.check(address, 'ipv6');
  }
}

/**
 * Returns whether the text is a CIDR or an address: `10.0.0.0/8`, `fd00::/8`, `10.1.2.3`. A range with bits set beyond
 * its prefix is taken for a mistake, and refused.
 */
export function isCidr(text: string): boolean {
  const match = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text);
  const address = match?.[1] ?? '';
  const family = isIP(address);
  if (family === 0) return false;
  const bits = family === 4 ? 32 : 128;
  const prefix = Number(match?.[2] ?? bits);
  return prefix <= bits && hasNoBitsPast(prefix, address);
}

function hasNoBitsPast(prefix: number, address: string): boolean {
  const bits = bitsOf(address);
  return !bits.slice(prefix).includes('1');
}

/** The address as a text of 32 or 128 zeros and ones. */
function bitsOf(address: string): string {
  if (isIP(address) === 4) return octetsOf(address).join('');
  return groupsOf(address)
    .map((group) => group.toString(2).padStart(16, '0'))
    .join('');
}

const octetsOf = (address: string): string[] =>
  address.split('.').map((octet) => Number(octet).toString(2).padStart(8, '0'));

/** The eight groups of an IPv6 address. */
export function groupsOf(address: string): number[] {
  // The URL parser accepts every notation of an address, and writes it in the one form of RFC 5952, all in hex.
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return [...left, ...zeros, ...right].map((group) => Number.parseInt(group, 16));
}
