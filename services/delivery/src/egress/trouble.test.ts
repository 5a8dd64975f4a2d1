import { troubleOf } from './trouble.ts';

const failed = (code: string) => Object.assign(new Error('it failed'), { code });

test.each([
  ['ENOTFOUND', 'dns'],
  ['EAI_AGAIN', 'dns'],
  ['CERT_HAS_EXPIRED', 'tls'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
  ['ECONNREFUSED', 'connect'],
  ['UND_ERR_CONNECT_TIMEOUT', 'connect'],
  ['DB_EGRESS_REFUSED', 'egress'],
  ['DB_EGRESS_PROXY', 'proxy'],
  // Whatever else broke an exchange came before its headers: the default.
  ['ECONNRESET', undefined],
])('%s is counted as %s', (code, failure) => {
  expect(troubleOf(failed(code)).failure).toBe(failure);
});

test.each([
  [
    'ERR_SSL_WRONG_VERSION_NUMBER',
    '40ED2F61697F0000:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:../deps/openssl/openssl/ssl/record/methods/tlsany_meth.c:77:\n',
    'ERR_SSL_WRONG_VERSION_NUMBER: wrong version number',
  ],
  [
    'EPROTO',
    'write EPROTO 40ED2F61697F0000:error:0A00042E:SSL routines:ssl3_read_bytes:tlsv1 alert protocol version:../deps/x.c:918:SSL alert number 70\n',
    'EPROTO: tlsv1 alert protocol version',
  ],
  [
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'unable to verify the first certificate; if the root CA is installed locally, try running Node.js with --use-system-ca',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE: unable to verify the first certificate',
  ],
  ['ENOTFOUND', 'getaddrinfo ENOTFOUND a.example', 'ENOTFOUND: getaddrinfo ENOTFOUND a.example'],
])('%s is told without what differs at each attempt, or concerns nobody', (code, message, trouble) => {
  expect(troubleOf(Object.assign(new Error(message), { code }))).toMatchObject({ trouble });
});
