import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTlsIdentity, tlsIdentityMistakes } from './tls-identity.ts';

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'databridge-tls-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' });
const read = (file: string) => readFileSync(join(dir, file), 'utf8');

/** RSA keys take seconds: those of 2048 bits are one. */
let rsa2048: string | undefined;

/** @param key arguments of `openssl genpkey` */
function identity(name: string, key: string[], digest = '-sha256') {
  const isRsa2048 = key.includes('rsa_keygen_bits:2048');
  if (isRsa2048 && rsa2048 !== undefined) writeFileSync(join(dir, `${name}.key`), rsa2048);
  else openssl('genpkey', ...key, '-out', `${name}.key`);
  if (isRsa2048) rsa2048 = read(`${name}.key`);
  openssl(
    'req',
    '-x509',
    '-new',
    '-key',
    `${name}.key`,
    digest,
    '-days',
    '90',
    '-subj',
    `/CN=${name}`,
    '-out',
    `${name}.crt`,
  );
  return { cert: read(`${name}.crt`), key: read(`${name}.key`) };
}

const rsa = (bits: number) => ['-algorithm', 'RSA', '-pkeyopt', `rsa_keygen_bits:${bits}`];
const curve = (name: string) => ['-algorithm', 'EC', '-pkeyopt', `ec_paramgen_curve:${name}`];
const words = (given: Parameters<typeof tlsIdentityMistakes>[0], nowMs = Date.now()) =>
  tlsIdentityMistakes(given, nowMs).map(({ place, message }) => `${place} ${message}`);

test.each([
  ['RSA of 2048 bits', rsa(2048)],
  ['P-256', curve('prime256v1')],
  ['Ed25519', ['-algorithm', 'ED25519']],
])('%s is taken', (_name, key) => {
  const good = identity('good', key);
  expect(words(good)).toEqual([]);
  expect(openTlsIdentity({ ...good, ca: good.cert })).toHaveProperty('context');
});

test.each([
  ['RSA of 1024 bits', rsa(1024)],
  ['a curve of 160 bits', curve('secp160r1')],
])('%s is refused in words, and throws nowhere', (_name, key) => {
  const weak = identity('weak', key);
  expect(words(weak)).toEqual([expect.stringMatching(/^clientCertificate has a key that is too weak: use RSA/)]);
  expect(openTlsIdentity(weak)).toHaveProperty('mistake');
  // As an authority it would load, and then fail in every handshake.
  expect(words({ ca: weak.cert })).toEqual([expect.stringMatching(/^ca has .* (too weak|refuse): use RSA/)]);
});

test('a signature with SHA-1 is refused, but not that by which a root vouches for itself', () => {
  const root = identity('root', rsa(2048), '-sha1');
  const leaf = identity('leaf', curve('prime256v1'));
  openssl('req', '-new', '-key', 'leaf.key', '-subj', '/CN=leaf', '-out', 'leaf.csr');
  const signed = ['-CA', 'root.crt', '-CAkey', 'root.key', '-CAcreateserial', '-days', '90', '-sha1'];
  openssl('x509', '-req', '-in', 'leaf.csr', ...signed, '-out', 'signed.crt');
  expect(words({ cert: read('signed.crt'), key: leaf.key })).toEqual([expect.stringMatching(/is signed with sha1/)]);
  expect(words(root)).toEqual([]);
});

test('a DSA key is refused, as certificate and as authority', () => {
  openssl('dsaparam', '-genkey', '-out', 'dsa.key', '2048');
  openssl('req', '-x509', '-new', '-key', 'dsa.key', '-days', '90', '-subj', '/CN=dsa', '-out', 'dsa.crt');
  const [cert, key] = [read('dsa.crt'), read('dsa.key')];
  expect(words({ cert, key })).toEqual([expect.stringMatching(/^clientCertificate has a DSA key/)]);
  expect(words({ ca: cert })).toEqual([expect.stringMatching(/^ca has a DSA key, .*: use RSA/)]);
});

test('a signature with MD5 is refused', () => {
  identity('md5-root', rsa(2048));
  const leaf = identity('md5-leaf', curve('prime256v1'));
  openssl('req', '-new', '-key', 'md5-leaf.key', '-subj', '/CN=md5-leaf', '-out', 'md5-leaf.csr');
  const signed = ['-CA', 'md5-root.crt', '-CAkey', 'md5-root.key', '-CAcreateserial', '-days', '90', '-md5'];
  openssl('x509', '-req', '-in', 'md5-leaf.csr', ...signed, '-out', 'md5-signed.crt');
  const cert = read('md5-signed.crt');
  expect(words({ cert, key: leaf.key })).toEqual([
    expect.stringMatching(/^clientCertificate (is signed with md5|has too weak a signature)/i),
  ]);
});

test('a key of another certificate, an encrypted key, what is no key, and a certificate that ran out are refused', () => {
  const one = identity('one', curve('prime256v1'));
  const two = identity('two', curve('prime256v1'));
  expect(words({ cert: one.cert, key: two.key })).toEqual(['clientKey does not belong to the client certificate']);
  openssl('pkcs8', '-topk8', '-in', 'one.key', '-passout', 'pass:x', '-out', 'encrypted.key');
  expect(words({ cert: one.cert, key: read('encrypted.key') })).toEqual([
    expect.stringMatching(/must not be encrypted/),
  ]);
  expect(words({ cert: one.cert, key: one.cert })).toEqual([expect.stringMatching(/^clientKey can't be used for TLS/)]);
  expect(words(one, Date.now() + 100 * 86_400_000)).toEqual([expect.stringMatching(/^clientCertificate ran out on/)]);
});
