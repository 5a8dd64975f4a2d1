import { createLogger } from './log.ts';
import { withoutUserInfo } from './settings/url-user-info.ts';

function logged(write: (log: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = [];
  write(createLogger('test', 'trace', { write: (line) => void lines.push(line) }));
  return lines.join('');
}

describe('no line shows the user name or the password of a URL', () => {
  const url = 'https://key:s3cret@registry.example:8081/subjects?at=now';

  test.each<[string, (log: ReturnType<typeof createLogger>) => void]>([
    ['as a field', (log) => log.info({ url }, 'schema registry request sent')],
    ['deep inside', (log) => log.info({ a: [{ b: { url } }] }, 'schema registry request sent')],
    ['in the message', (log) => log.info(`asked ${url}`)],
    ['in an error', (log) => log.error({ err: new Error(`fetch of ${url} failed`) }, 'schema registry request sent')],
    [
      'in its cause',
      (log) => log.error({ err: new Error('failed', { cause: new Error(url) }) }, 'schema registry request sent'),
    ],
    ['bound to a child', (log) => log.child({ url }).info('schema registry request sent')],
    ['twice', (log) => log.info({ url, other: url }, 'schema registry request sent')],
  ])('%s', (_where, write) => {
    const line = logged(write);
    expect(line).not.toMatch(/s3cret|key:/);
    expect(line).toContain('https://registry.example:8081/subjects?at=now');
    for (const one of line.trim().split('\n')) expect(JSON.parse(one)).toMatchObject({ service: 'test' });
  });
});

test.each([
  ['a user alone', 'http://s3cret@host/', 'http://host/'],
  ['an empty user', 'http://:s3cret@host/', 'http://host/'],
  ['an @ in the password', 'http://u:s3@cret@host/', 'http://host/'],
  ['a colon in the password', 'http://u:s3:cret@host/', 'http://host/'],
  ['percent signs', 'http://u:s3%40cret@host/', 'http://host/'],
  ['another scheme', 'amqps://u:s3cret@host', 'amqps://host'],
  ['capitals', 'HTTPS://u:s3cret@host', 'HTTPS://host'],
  ['several', 'http://u:s3cret@a http://u:s3cret@b', 'http://a http://b'],
  ['a quote, escaped in JSON', String.raw`http://u:s3\"cret@host`, 'http://host'],
])('%s', (_what, text, shown) => {
  expect(withoutUserInfo(text)).toBe(shown);
});

test.each(['http://host/path@x', 'http://host?a=b@c', 'http://host#a@b', 'a@b.example', 'no address', 'http://host'])(
  '%s stays as it is',
  (text) => {
    expect(withoutUserInfo(text)).toBe(text);
  },
);
