/**
 * Addresses that no customer's endpoint has. The sources are the IANA special-purpose address registries (IPv4: RFC
 * 6890 and later; IPv6: likewise), ranges that were deprecated but that some hosts still route, and addresses that
 * clouds use for their own services.
 */

/** A range in CIDR notation, and its use, which completes "10.0.0.1 is …". */
export type SpecialRange = readonly [cidr: string, what: string];

/** The first range that matches gives the reason, so narrower ranges come first. */
export const SPECIAL_IPV4: readonly SpecialRange[] = [
  ['0.0.0.0/8', 'an address of "this host"'],
  ['10.0.0.0/8', 'a private address'],
  ['100.64.0.0/10', 'a carrier-grade NAT address'],
  ['127.0.0.0/8', 'a loopback address'],
  ['169.254.0.0/16', 'a link-local address'],
  ['172.16.0.0/12', 'a private address'],
  ['192.0.0.0/24', 'reserved for protocol assignments'],
  ['192.0.2.0/24', 'reserved for documentation'],
  ['192.31.196.0/24', 'reserved for AS112'],
  ['192.52.193.0/24', 'reserved for multicast tunnelling'],
  ['192.88.99.0/24', 'a 6to4 relay'],
  ['192.168.0.0/16', 'a private address'],
  ['192.175.48.0/24', 'reserved for AS112'],
  ['198.18.0.0/15', 'reserved for benchmarks'],
  ['198.51.100.0/24', 'reserved for documentation'],
  ['203.0.113.0/24', 'reserved for documentation'],
  ['224.0.0.0/4', 'a multicast address'],
  ['255.255.255.255/32', 'the broadcast address'],
  ['240.0.0.0/4', 'a reserved address'],
];

/**
 * IPv6 works the other way round: every address outside {@link GLOBAL_UNICAST} is refused, listed here or not, so that
 * unknown ranges are closed. Ranges that contain an IPv4 address are refused as a whole: another host decides what is
 * behind them.
 */
export const SPECIAL_IPV6: readonly SpecialRange[] = [
  ['::/128', 'the unspecified address'],
  ['::1/128', 'the loopback address'],
  ['::ffff:0:0/96', 'an IPv4-mapped address'],
  ['::ffff:0:0:0/96', 'an IPv4-translated address'],
  ['::/96', 'an IPv4-compatible address'],
  ['64:ff9b::/96', 'a NAT64 address'],
  ['64:ff9b:1::/48', 'a local NAT64 address'],
  ['100::/64', 'a discard address'],
  ['2001::/32', 'a Teredo address'],
  ['2001:2::/48', 'reserved for benchmarks'],
  ['2001:10::/28', 'an ORCHID, no address of a host'],
  ['2001:20::/28', 'an ORCHID, no address of a host'],
  ['2001::/23', 'reserved for protocol assignments'],
  ['2001:db8::/32', 'reserved for documentation'],
  ['2002::/16', 'a 6to4 address'],
  ['2620:4f:8000::/48', 'reserved for AS112'],
  ['3ffe::/16', 'a 6bone address, long given back'],
  ['3fff::/20', 'reserved for documentation'],
  ['5f00::/16', 'a segment routing identifier'],
  ['fc00::/7', 'a unique local address'],
  ['fe80::/10', 'a link-local address'],
  ['fec0::/10', 'a site-local address'],
  ['ff00::/8', 'a multicast address'],
];

/** All addresses that IANA has ever assigned to hosts (RFC 4291 §2.5.4, the registry of global unicast assignments). */
export const GLOBAL_UNICAST = '2000::/3';

/** The well-known prefix of NAT64 (RFC 6052): the IPv4 address is its last 32 bits. */
export const NAT64 = '64:ff9b::/96';

/**
 * Addresses where clouds return credentials to any client inside them. No allow-list opens these, however wide it is:
 * no customer's endpoint is there, and one of them looks like an ordinary public address.
 */
export const METADATA_ADDRESSES: readonly string[] = [
  // AWS, Google, Azure, DigitalOcean, Hetzner and most others.
  '169.254.169.254',
  'fd00:ec2::254',
  'fd20:ce::254',
  // AWS: credentials of tasks and of pods; time and DNS.
  '169.254.170.2',
  '169.254.170.23',
  'fd00:ec2::23',
  '169.254.169.123',
  'fd00:ec2::123',
  '169.254.169.253',
  'fd00:ec2::253',
  // Azure's host agent: a public address that is routed to the host.
  '168.63.129.16',
  // Alibaba, Oracle, Scaleway, Tencent.
  '100.100.100.200',
  '192.0.0.192',
  '169.254.42.42',
  'fd00:42::42',
  '169.254.0.23',
];

/**
 * Ports of protocols other than HTTP, where a request could be taken for commands: the "bad ports" of the Fetch
 * standard, which browsers refuse too.
 */
export const BAD_PORTS: ReadonlySet<number> = new Set([
  0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110,
  111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532,
  540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061,
  6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
]);
