import { readTokenAnswer } from './token-answer.ts';

const read = (body: unknown, status = 200) =>
  readTokenAnswer({ status, headers: {}, body: typeof body === 'string' ? body : JSON.stringify(body) });
const token = (more: object) => read({ access_token: 'tok-1', ...more });
const BEARER = { token: { value: 'tok-1', lifetimeMs: undefined } };

test.each([
  ...[
    'Bearer',
    'bearer',
    'BEARER',
    'BearerToken',
    'Bearer token',
    'bearer_token',
    ' Bearer ',
    'JWT',
    'access_token',
    '',
  ],
  ...[null, undefined, 7, ['Bearer'], {}],
])('token_type %j is sent as Bearer', (token_type) => {
  expect(token({ token_type })).toEqual(BEARER);
});

test.each(['DPoP', 'dpop', 'mac', 'MAC', 'N_A', 'n_a', 'PoP'])(
  'token_type %s is not supported, and that is said',
  (token_type) => {
    expect(token({ token_type })).toEqual({
      failure: expect.stringMatching(`"${token_type}", which is not supported`),
    });
  },
);

test.each([
  [3_600, 3_600_000],
  ['3600', 3_600_000],
  ['3600.5', 3_600_500],
  [' 60 ', 60_000],
  [1e300, expect.any(Number)],
])('expires_in %j', (expires_in, lifetimeMs) => {
  expect(token({ expires_in })).toEqual({ token: { value: 'tok-1', lifetimeMs } });
});

test.each(['', null, 0, '0', 0.5, 1e-9, -1, '-3600', 'NaN', 'soon', '3600s', '0x10', true, [], {}, [3600]])(
  'expires_in %j means "not stated"',
  (expires_in) => {
    expect(token({ expires_in })).toEqual(BEARER);
  },
);

test.each([
  { scope: null },
  { scope: ['a', 'b'] },
  { scope: 7 },
  { refresh_token: '' },
  { refresh_token: null },
  { id_token: 'e30.e30.c2ln' },
  { error: null },
  { error: '' },
])('a field that is not needed holds up nobody: %j', (more) => {
  expect(token(more)).toEqual(BEARER);
});

test.each([
  ['a byte order mark', '\ufeff{"access_token":"tok-1"}'],
  ['blanks around it', '\r\n {"access_token":"tok-1"} \n'],
  ['a form', 'access_token=tok-1&token_type=bearer&scope='],
  ['a form, the token last', 'expires_in=&access_token=tok-1'],
])('%s', (_what, body) => {
  expect(read(body)).toEqual(BEARER);
});

test.each([
  [
    'a success that is an error',
    { error: 'invalid_client', error_description: 'no such client' },
    'status 200, invalid_client: no such client',
  ],
  ['an error with no token', { error: 'invalid_client', access_token: null }, 'status 200, invalid_client'],
  [
    'a form that is an error',
    'error=bad_verification_code&error_description=too+old',
    'status 200, bad_verification_code: too old',
  ],
  ['no token', { token: 'top-secret' }, 'status 200, but the answer has no access_token'],
  ['an empty token', { access_token: '' }, 'status 200, but the answer has no access_token'],
  ['a list', '["top-secret"]', 'status 200, but the answer is no JSON object'],
  ['a page', '<html>top-secret</html>', 'status 200, but the answer is no JSON object'],
  ['nothing', '', 'status 200, but the answer is no JSON object'],
])('%s', (_what, body, failure) => {
  expect(read(body)).toEqual({ failure });
});

test.each(['tok 1', 'tok\r\nx-admin: 1', 'tok\u0000', 'tok\n', 'tök', 'Bearer tok-1'])(
  'a token that no header can contain is refused with a message: %j',
  (access_token) => {
    const reading = read({ access_token });
    expect(reading).toEqual({ failure: expect.stringMatching(/no header can carry/) });
    expect(JSON.stringify(reading)).not.toContain('tok-1');
  },
);

test('the server’s own error is passed on', () => {
  expect(read({ error: 'invalid_client' }, 401)).toEqual({ failure: 'status 401, invalid_client' });
  expect(read('Oops', 500)).toEqual({ failure: 'status 500: Oops' });
  expect(read('', 302)).toEqual({ failure: 'status 302' });
});

test.each([301, 400, 503])('a token beside the status %d is not shown', (status) => {
  const reading = read({ access_token: 'top-secret' }, status);
  expect(reading).toEqual({ failure: `status ${status}, although the answer has a token` });
});

test('a body that broke off', () => {
  const answered = { status: 200, headers: {}, body: '{"access_token":"tok', bodyTrouble: 'the body is incomplete' };
  expect(readTokenAnswer(answered)).toEqual({ failure: 'status 200, but the body is incomplete' });
});
