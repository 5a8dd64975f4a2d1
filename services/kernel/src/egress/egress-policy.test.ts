import { isIP } from 'node:net';
import { groupsOf } from './cidr-list.ts';
import { EgressPolicy } from './egress-policy.ts';
import { METADATA_ADDRESSES, SPECIAL_IPV4, SPECIAL_IPV6 } from './special-ranges.ts';

const STRICT = new EgressPolicy({ allowCidrs: [], denyCidrs: [], allowHttp: false });

const allowing = (...allowCidrs: string[]) => new EgressPolicy({ allowCidrs, denyCidrs: [], allowHttp: false });

describe('public addresses may be dialed', () => {
  test.each([
    '1.1.1.1',
    '8.8.8.8',
    '9.255.255.255',
    '11.0.0.0',
    '93.184.216.34',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.0',
    '168.63.129.15',
    '169.253.255.255',
    '169.255.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.0.1.0',
    '192.167.255.255',
    '192.169.0.0',
    '198.17.255.255',
    '198.20.0.0',
    '223.255.255.255',
    '2001:200::1',
    '2001:4860:4860::8888',
    '2600:1f18::1',
    '2606:4700:4700::1111',
    '2620:4f:8001::1',
    '2a00:1450:4001:81b::200e',
    '2003::1',
    '3ffd:ffff::1',
  ])('%s', (address) => {
    expect(STRICT.addressRefusal(address)).toBeUndefined();
  });
});

/** An address in each range that has been forgotten by some filter, and how it is called. */
describe.each([
  ['this host', ['0.0.0.0', '0.0.0.1', '0.255.255.255']],
  ['unspecified', ['::', '0:0:0:0:0:0:0:0']],
  ['loopback', ['127.0.0.1', '127.0.0.0', '127.1.1.1', '127.255.255.255', '::1', '0:0:0:0:0:0:0:1', '0000::1']],
  ['private', ['10.0.0.0', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1', '192.168.255.255']],
  ['link-local', ['169.254.0.1', '169.254.255.255', 'fe80::1', 'FE80::1', 'febf:ffff::1']],
  ['carrier-grade NAT', ['100.64.0.0', '100.127.255.255']],
  ['protocol assignments', ['192.0.0.1', '192.0.0.170', '2001:1::1', '2001:4:112::1', '2001:1ff:ffff::1']],
  [
    'documentation',
    ['192.0.2.1', '198.51.100.1', '203.0.113.255', '2001:db8::1', '2001:DB8:ffff::', '3fff::1', '3fff:fff::1'],
  ],
  ['benchmarks', ['198.18.0.0', '198.19.255.255', '2001:2::1']],
  [
    'multicast',
    ['224.0.0.1', '239.255.255.255', '233.252.0.1', 'ff02::1', 'ff0e::1', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ],
  ['reserved', ['240.0.0.0', '255.255.255.254']],
  ['broadcast', ['255.255.255.255']],
  ['6to4', ['192.88.99.1', '2002:7f00:1::', '2002:a9fe:a9fe::1', '2002:c0a8:101::1', '2002:808:808::1']],
  ['Teredo', ['2001:0:4136:e378:8000:63bf:80ff:fffe', '2001::1', '2001:0:a00:1::']],
  [
    'IPv4-mapped',
    ['::ffff:127.0.0.1', '::ffff:7f00:1', '::FFFF:a9fe:a9fe', '0:0:0:0:0:ffff:10.0.0.1', '::ffff:8.8.8.8'],
  ],
  ['IPv4-compatible', ['::127.0.0.1', '::7f00:1', '::a9fe:a9fe', '::2', '::10.0.0.1']],
  ['IPv4-translated', ['::ffff:0:127.0.0.1', '::ffff:0:a00:1']],
  ['NAT64', ['64:ff9b::7f00:1', '64:ff9b::169.254.169.254', '64:ff9b::8.8.8.8', '0064:ff9b:0::10.0.0.1']],
  ['local NAT64', ['64:ff9b:1::1', '64:ff9b:1:a00:0:100::', '64:ff9b:1:ffff::127.0.0.1']],
  ['unique local', ['fc00::1', 'fd00::1', 'fd12:3456:789a::1', 'fdff:ffff::1']],
  ['site-local', ['fec0::1', 'feff::1']],
  ['discard', ['100::1', '100:0:0:0:ffff::1']],
  ['segment routing', ['5f00::1']],
  ['ORCHID', ['2001:10::1', '2001:20::1', '2001:2f:ffff::1']],
  ['AS112', ['192.31.196.1', '192.175.48.1', '2620:4f:8000::1']],
  ['6bone', ['3ffe::1', '3ffe:831f::1']],
  [
    'not a public address',
    ['64:ff9c::1', '1::1', '200::1', '400::1', '1fff:ffff::1', '4000::1', '8000::1', 'e000::1', 'fe00::1', '::1:0:0:0'],
  ],
])('%s', (words, addresses) => {
  test.each(addresses)('%s may not be dialed', (address) => {
    expect(isIP(address)).toBeGreaterThan(0);
    expect(STRICT.addressRefusal(address)).toMatch(new RegExp(words));
  });
});

describe('the ends of every range belong to it', () => {
  test.each([...SPECIAL_IPV4, ...SPECIAL_IPV6])('%s', (cidr) => {
    const [first, last] = endsOf(cidr);
    expect(STRICT.addressRefusal(first)).toBeDefined();
    expect(STRICT.addressRefusal(last)).toBeDefined();
    const onlyThis = allowing(cidr);
    for (const end of METADATA_ADDRESSES.includes(first) ? [] : [first, last]) {
      // What an allowed NAT64 prefix stands for is judged again.
      if (!cidr.startsWith('64:ff9b::')) expect([end, onlyThis.addressRefusal(end)]).toEqual([end, undefined]);
    }
  });
});

test.each([
  '',
  'localhost',
  '127.1',
  '0x7f.0.0.1',
  '1.2.3',
  '1.2.3.4.5',
  '1.2.3.4 ',
  '[::1]',
  ':::',
  'fe80::1/64',
  'acme.example',
])('%j is no address, and may not be dialed', (text) => {
  expect(STRICT.addressRefusal(text)).toBe('is not an IP address');
});

test.each(['fe80::1%eth0', '2606:4700::1%lo', '::1%1'])('%s has a zone, and may not be dialed', (address) => {
  expect(STRICT.addressRefusal(address)).toMatch('zone');
  expect(allowing('::/0').addressRefusal(address)).toMatch('zone');
});

describe('metadata addresses', () => {
  const wideOpen = allowing('0.0.0.0/0', '::/0', ...METADATA_ADDRESSES);

  test.each(METADATA_ADDRESSES)('%s stays closed, whatever is allowed', (address) => {
    expect(STRICT.addressRefusal(address)).toMatch('metadata');
    expect(wideOpen.addressRefusal(address)).toMatch('metadata');
  });

  test.each(['fd00:0ec2:0:0::254', 'FD00:EC2::254', '64:ff9b::169.254.169.254', '64:ff9b::a83f:8110'])(
    '%s, another spelling, too',
    (address) => {
      expect(wideOpen.addressRefusal(address)).toMatch('metadata');
    },
  );
});

describe('the allow-list', () => {
  test('opens what it names, and nothing beside it', () => {
    const policy = allowing('10.1.0.0/16', 'fd12:3456::/32', '192.168.7.7');
    expect(policy.addressRefusal('10.1.255.255')).toBeUndefined();
    expect(policy.addressRefusal('fd12:3456:ffff::1')).toBeUndefined();
    expect(policy.addressRefusal('192.168.7.7')).toBeUndefined();
    for (const beside of ['10.2.0.0', '10.0.255.255', 'fd12:3457::1', '192.168.7.8']) {
      expect(policy.addressRefusal(beside)).toBeDefined();
    }
  });

  test('of IPv4 does not open the same address in IPv6 clothes', () => {
    const policy = allowing('127.0.0.0/8');
    for (const clothed of ['::ffff:127.0.0.1', '::127.0.0.1', '2002:7f00:1::']) {
      expect(policy.addressRefusal(clothed)).toBeDefined();
    }
  });

  test('of IPv4-mapped addresses does not open IPv4', () => {
    expect(allowing('::ffff:0:0/96').addressRefusal('10.0.0.1')).toBeDefined();
  });

  test('of the NAT64 prefix opens what is public behind it', () => {
    const policy = allowing('64:ff9b::/96');
    expect(policy.addressRefusal('64:ff9b::8.8.8.8')).toBeUndefined();
    for (const inner of ['10.0.0.1', '127.0.0.1', '0.0.0.0', '0.0.0.1', '255.255.255.255']) {
      expect(policy.addressRefusal(`64:ff9b::${inner}`)).toMatch('contains an IPv4 address that is');
    }
  });

  test('is overruled by the deny-list', () => {
    const policy = new EgressPolicy({
      allowCidrs: ['10.0.0.0/8'],
      denyCidrs: ['10.1.0.0/16', '2600:1f18::/32'],
      allowHttp: false,
    });
    expect(policy.addressRefusal('10.2.0.1')).toBeUndefined();
    expect(policy.addressRefusal('10.1.0.1')).toMatch('this installation refuses');
    expect(policy.addressRefusal('2600:1f18::1')).toMatch('this installation refuses');
  });
});

describe('a URL', () => {
  const refusal = (url: string, policy = STRICT) => policy.urlRefusal(new URL(url));

  test.each([
    'https://acme.example/',
    'https://acme.example:8443/x',
    'https://8.8.8.8/',
    'https://[2606:4700::1]:444/',
  ])('%s may be saved', (url) => {
    expect(refusal(url)).toBeUndefined();
  });

  test.each([
    // As the parser reads them, all of these are addresses.
    ['https://127.0.0.1/', 'has the host 127.0.0.1, which is a loopback address, and not public'],
    ['https://0177.1/', 'loopback'],
    ['https://0x7f000001/', 'loopback'],
    ['https://2130706433/', 'loopback'],
    ['https://１２７.０.０.１/', 'loopback'],
    ['https://127。0。0。1/', 'loopback'],
    ['https://127.0.0.1./', 'loopback'],
    ['https://0/', 'this host'],
    ['https://169.254.169.254/latest/meta-data/', 'metadata'],
    ['https://2852039166/', 'metadata'],
    ['https://[::1]/', 'loopback'],
    ['https://[::]/', 'unspecified'],
    ['https://[::ffff:127.0.0.1]/', 'IPv4-mapped'],
    ['https://[::ffff:169.254.169.254]/', 'IPv4-mapped'],
    ['https://[::127.0.0.1]/', 'IPv4-compatible'],
    ['https://[0:0:0:0:0:ffff:7f00:1]/', 'IPv4-mapped'],
    ['https://[64:ff9b::10.0.0.1]/', 'NAT64'],
    ['https://[fd00:ec2::254]/', 'metadata'],
    ['https://localhost/', 'loopback'],
    ['https://LOCALHOST:8443/', 'loopback'],
    ['https://localhost./', 'loopback'],
    ['https://a.b.localhost/', 'loopback'],
    ['http://acme.example/', 'must use https: plain http is not allowed here'],
    ['ftp://acme.example/', 'must use https'],
    ['https://acme.example:22/', 'has the port 22, where something else than HTTP is spoken'],
    ['https://acme.example:25/', 'port 25'],
    ['https://acme.example:6667/', 'port 6667'],
    ['https://acme.example:0/', 'port 0'],
    ['https://user@acme.example/', 'credentials'],
    ['https://:password@acme.example/', 'credentials'],
  ])('%s may not, and it says why', (url, words) => {
    expect(refusal(url)).toContain(words);
  });

  test('of plain http may be saved where http is allowed', () => {
    const policy = new EgressPolicy({ allowCidrs: [], denyCidrs: [], allowHttp: true });
    expect(refusal('http://acme.example/', policy)).toBeUndefined();
    expect(refusal('http://10.0.0.1/', policy)).toMatch('private');
    expect(refusal('ftp://acme.example/', policy)).toBe('must use https');
  });

  test('of loopback may be saved where loopback is allowed', () => {
    expect(refusal('https://localhost:8443/', allowing('127.0.0.0/8'))).toBeUndefined();
    expect(refusal('https://127.8.8.8/', allowing('127.0.0.0/8'))).toBeUndefined();
  });
});

/** The first and the last address of a range, by arithmetic of its own. */
function endsOf(cidr: string): [string, string] {
  const [address = '', prefix] = cidr.split('/');
  const [bits, size] = isIP(address) === 4 ? [32n, 8n] : [128n, 16n];
  const parts = isIP(address) === 4 ? address.split('.').map(Number) : groupsOf(address);
  const first = parts.reduce((sum, part) => (sum << size) | BigInt(part), 0n);
  const last = first | ((1n << (bits - BigInt(prefix ?? bits))) - 1n);
  const write = (value: bigint) => {
    const mask = (1n << size) - 1n;
    const shifts = parts.map((_, index) => size * BigInt(parts.length - 1 - index));
    return shifts
      .map((shift) => ((value >> shift) & mask).toString(size === 8n ? 10 : 16))
      .join(size === 8n ? '.' : ':');
  };
  return [write(first), write(last)];
}
