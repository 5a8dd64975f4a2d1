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
