import { canonicalTarget, targetMistake } from './request-target.ts';

const ROUTE = '/v1/subscriptions/:customer/secrets/:name';

test.each([
  '/v1/subscriptions/acme/secrets/authentication.key',
  '/v1/subscriptions/acme/secrets/authentication.parameters.body.a%20b',
  '/v1/subscriptions/acme/secrets/caf%C3%A9',
  '/v1/status?limit=10&cursor=YWNtZQ%3D%3D',
  '/v1/audit?customer=a/b?c',
])('%s is read alike by every parser', (target) => {
  expect(targetMistake(target, ROUTE)).toBeUndefined();
});

test.each([
  ['absolute form', 'http://127.0.0.1:9/v1/subscriptions/acme'],
  ['absolute form without a path', 'http://127.0.0.1:9'],
  ['authority form', '127.0.0.1:9'],
  ['asterisk form', '*'],
  ['empty', ''],
  ['scheme-relative', '//127.0.0.1:9/v1/x'],
  ['backslashes', '/v1/subscriptions/acme/secrets/..\\..\\admin'],
  ['a backslash in the query', '/v1/status?cursor=\\'],
  ['dot segments', '/v1/subscriptions/../admin'],
  ['one dot', '/v1/./subscriptions'],
  ['encoded dots', '/v1/subscriptions/%2e%2e/admin'],
  ['half encoded dots', '/v1/subscriptions/.%2E/admin'],
  ['an encoded slash', '/v1/subscriptions/acme/secrets/..%2f..%2Fadmin'],
  ['an encoded backslash', '/v1/subscriptions/acme/secrets/..%5cadmin'],
  ['double encoding', '/v1/subscriptions/acme/secrets/%252e%252e%252fadmin'],
  ['an encoded line break', '/v1/subscriptions/acme/secrets/a%0d%0aHost:%20b'],
  ['an encoded NUL', '/v1/subscriptions/acme/secrets/a%00'],
  ['a raw control character', '/v1/subscriptions/acme/secrets/a\u0001'],
  ['a tab', '/v1/subscriptions/acme/secrets/a\tb'],
  ['a fragment', '/v1/subscriptions/acme#/admin'],
  ['an empty segment', '/v1//subscriptions'],
  ['a trailing slash', '/v1/subscriptions/'],
  ['broken percent-encoding', '/v1/subscriptions/acme/secrets/%zz'],
  ['half a percent-encoding', '/v1/subscriptions/acme/secrets/%2'],
  ['overlong UTF-8 of a slash', '/v1/subscriptions/acme/secrets/%c0%af'],
  ['full-width dots unencoded', '/v1/subscriptions/acme/secrets/．．'],
  ['a space', '/v1/status?a= b'],
])('%s is refused', (_, target) => {
  expect(targetMistake(target, ROUTE)).toEqual(expect.any(String));
});

test('an id that a producer chose may contain what separates paths, where the route says so; dots alone never', () => {
  const route = '/v1/subscriptions/:customer/dead-letters/:id';
  const at = (id: string) => targetMistake(`/v1/subscriptions/acme/dead-letters/${id}`, route, ['id']);
  expect(at(encodeURIComponent('order/17%'))).toBeUndefined();
  expect(at('%2e%2e')).toMatch(/dot segment/);
  expect(targetMistake('/v1/subscriptions/a%2fb/dead-letters/x', route, ['id'])).toMatch(/percent-encoded/);
});

test('the canonical target is made of route, parameters and query, whatever the raw target was', () => {
  const request = {
    routeOptions: { url: ROUTE } as never,
    params: { customer: 'acme', name: '..\\..\\admin/delete?all=1#' },
    query: { waiting: 'keep&x=1', more: ['a', 'b'] },
  };
  expect(canonicalTarget(request)).toBe(
    '/v1/subscriptions/acme/secrets/..%5C..%5Cadmin%2Fdelete%3Fall%3D1%23?waiting=keep%26x%3D1&more=a&more=b',
  );
});
