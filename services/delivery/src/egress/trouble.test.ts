import { DialError } from './dial.ts';
import { troubleOf } from './trouble.ts';

const failed = (message: string, facts: object = {}) => Object.assign(new Error(message), facts);
describe('customers read the kind of a failure, operators the address', () => {
  test('one address that refuses the connection', () => {
    const error = new DialError([{ address: '10.1.2.3', code: 'ECONNREFUSED', afterMs: 4 }], 5_000);
    expect(troubleOf(error)).toEqual({
      failure: 'connect',
      trouble: 'ECONNREFUSED: connection refused',
      operatorDetail: '10.1.2.3: ECONNREFUSED after 4 ms',
      isBlocked: false,
    });
  });

  test('several: each is named with its error', () => {
    const attempts = [
      { address: '10.1.2.3', code: 'ECONNREFUSED', afterMs: 4 },
      { address: 'fd12:3456::1', code: 'ETIMEDOUT', afterMs: 5_000 },
    ];
    const { trouble, operatorDetail } = troubleOf(new DialError(attempts, 5_000));
    expect(operatorDetail).toBe('10.1.2.3: ECONNREFUSED after 4 ms; fd12:3456::1: ETIMEDOUT after 5000 ms');
    expect(trouble).toMatch(/none of 2 addresses accepted a connection/);
    expect(trouble).not.toMatch(/10\.1|fd12/);
  });

  test('our own egress proxy', () => {
    const cause = new DialError([{ address: '10.9.9.9', code: 'ECONNREFUSED', afterMs: 1 }], 5_000);
    const error = failed('our egress proxy can’t be reached', { code: 'DB_EGRESS_PROXY', cause });
    expect(troubleOf(error)).toEqual({
      failure: 'proxy',
      trouble: 'our egress proxy can’t be reached',
      operatorDetail: '10.9.9.9: ECONNREFUSED after 1 ms',
      isBlocked: true,
    });
  });

  test('a refusal of the egress policy', () => {
    const cause = new Error('vault.internal leads to 10.1.2.3, which is a private address');
    const error = failed('vault.internal has an address that may not be sent to', { code: 'DB_EGRESS_REFUSED', cause });
    expect(troubleOf(error)).toEqual({
      failure: 'egress',
      trouble: 'vault.internal has an address that may not be sent to',
      operatorDetail: cause.message,
      isBlocked: true,
    });
  });
});

test.each([
  'the answer was due at 12:34:56',
  'version 1.2.3.4 of the protocol is not supported',
  'Hostname/IP does not match: IP: 93.184.216.34 is not in the list',
])('the text of other errors is kept as it is: %s', (message) => {
  expect(troubleOf(failed(message)).trouble).toBe(message);
  expect(troubleOf(failed(message, { code: 'E' })).trouble).toBe(`E: ${message}`);
});

test('an error of the HTTP/2 session is not taken for the reset of a stream', () => {
  const code = 'ERR_HTTP2_SESSION_ERROR';
  const closed = troubleOf(failed('Session closed with error code 11', { code, http2ErrorCode: 11 }));
  expect(closed).toMatchObject({ trouble: 'the server closed the HTTP/2 connection (ENHANCE_YOUR_CALM)' });
  const flooded = troubleOf(failed('Flooding was detected', { code: 'ERR_HTTP2_ERROR', http2ErrorCode: 2 }));
  expect(flooded).toMatchObject({ trouble: 'the HTTP/2 connection failed: Flooding was detected' });
});

test('a failure of the socket under an HTTP/2 session is named by its own code', () => {
  const alert = failed('tlsv13 alert certificate required', {
    code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    http2ErrorCode: 2,
  });
  expect(troubleOf(alert)).toMatchObject({
    trouble: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: tlsv13 alert certificate required',
  });
  const reset = troubleOf(failed('read ECONNRESET', { code: 'ECONNRESET', http2ErrorCode: 2 }));
  expect(reset).toMatchObject({ trouble: 'ECONNRESET: read ECONNRESET' });
});

test.each([
  ['ENOTFOUND', 'dns'],
  ['EAI_AGAIN', 'dns'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
  ['CERT_HAS_EXPIRED', 'tls'],
  ['ECONNREFUSED', 'connect'],
  ['UND_ERR_SOCKET', undefined],
])('%s is counted as %s', (code, failure) => {
  expect(troubleOf(failed('it failed', { code })).failure).toBe(failure);
});
