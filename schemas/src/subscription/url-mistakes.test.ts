import { urlMistakes } from './url-mistakes.ts';

describe('every reader goes to the same host', () => {
  test.each([
    'https://acme.example/hook',
    'https://ACME.example/Hook?a=1&b=%20',
    'https://acme.example:8443',
    'https://acme.example:443/',
    'http://127.0.0.1:8080/events',
    'https://[2606:4700:0:0::1111]/',
    'https://[2001:DB8::1]:8443/',
    'https://bücher.example/',
    'https://xn--bcher-kva.example/',
    'https://straße.example/',
    'https://a_b.acme.example/',
    'https://127.0.0.1.nip.io/',
    'https://acme.example/@home?to=a@b.example',
  ])('%s', (url) => {
    expect(urlMistakes(url)).toEqual([]);
  });
});

/** Each of these has led some filter and some client to different hosts. */
describe.each([
  [
    'odd spellings of an address',
    /unusual spelling: write it as \d+\.\d+\.\d+\.\d+/,
    [
      'https://0177.0.0.1/',
      'https://0177.1/',
      'https://017700000001/',
      'https://0x7f.0.0.1/',
      'https://0x7f000001/',
      'https://0X7F.1/',
      'https://2130706433/',
      'https://2852039166/',
      'https://127.1/',
      'https://127.0.1/',
      'https://127.0.0.01/',
      'https://0/',
      'https://0x/',
      'https://0x.0x.0/',
      'https://1.1/',
      'https://134744072/',
      'https://0xa9.0xfe.43518/',
      'https://%31%32%37.0.0.1/',
      'https://127%2e0%2e0%2e1/',
      'https://１２７.０.０.１/',
      'https://①②⑦.⓪.⓪.①/',
      'https://127。0。0。1/',
      'https://127．0．0．1/',
      'https://127｡0｡0｡1/',
      'https://𝟏𝟐𝟕.0.0.1/',
      'https://0x7F。1/',
    ],
  ],
  [
    'odd spellings of a name',
    /unusual spelling: write it as [a-z0-9.]+/,
    [
      'https://ⓔⓧⓐⓜⓟⓛⓔ.com/',
      'https://ｌｏｃａｌｈｏｓｔ/',
      'https://loca%6chost/',
      'https://localhost%2eexample/',
      'https://acme。example/',
      'https://ſtuff.example/',
      'https://\u212a8s.example/',
    ],
  ],
  [
    'invisible characters',
    /spaces or invisible/,
    [
      'https://127.0.0.1\t/',
      'https://ac\nme.example/',
      'https://acme.example\r\n/x',
      ' https://acme.example/',
      'https://acme.example/ ',
      'https://local\u200bhost/',
      'https://l\u00adocalhost/',
      'https://acme.example\u0000/',
      'https://1.1.1.1 &@2.2.2.2# @3.3.3.3/',
      'https://acme.example/\u202egpj',
      '\ufeffhttps://acme.example/',
    ],
  ],
  [
    'dots at the end, or two in a row',
    /ends with a dot|empty part/,
    [
      'https://acme.example./',
      'https://127.0.0.1./',
      'https://127.0.0.1../',
      'https://localhost./',
      'https://acme.example。/',
      'https://acme..example/',
      'https://.acme.example/',
    ],
  ],
  [
    'credentials, and a second host before an @',
    /credentials/,
    [
      'https://user:password@acme.example/',
      'https://user@acme.example/',
      'https://@acme.example/',
      'https://:@acme.example/',
      'https://127.0.0.1:443@acme.example/',
      'https://acme.example@127.0.0.1/',
      'https://acme.example%40127.0.0.1@10.0.0.1/',
      'https://[::1]@acme.example/',
    ],
  ],
  [
    'backslashes',
    /backslash|must begin/,
    ['https://acme.example\\@127.0.0.1/', 'https:\\\\127.0.0.1/', 'https:/\\127.0.0.1/'],
  ],
  ['too few or too many slashes', /must begin/, ['https:acme.example', 'https:/acme.example', 'https:///acme.example']],
  [
    'other schemes',
    /must begin with https/,
    [
      'ftp://acme.example/',
      'file:///etc/passwd',
      'gopher://127.0.0.1:25/_',
      'dict://127.0.0.1:11211/stat',
      'ldap://127.0.0.1/',
      'data:text/plain,x',
      'javascript:alert(1)',
      'blob:https://acme.example/1',
      'wss://acme.example/',
      'unix:/var/run/docker.sock',
      'jar:https://acme.example!/',
      'http+unix://%2Fvar%2Frun%2Fdocker.sock/info',
    ],
  ],
  ['fragments', /fragment/, ['https://acme.example/#@127.0.0.1', 'https://acme.example#', 'https://acme.example/#x']],
  [
    'what is no URL',
    /is not a URL/,
    [
      '',
      'acme.example/hook',
      '//acme.example/',
      'https://',
      'https://256.256.256.256/',
      'https://4294967296/',
      'https://08.8.8.8/',
      'https://127.0.0.1%00.acme.example/',
      'https://[fe80::1%25eth0]/',
      'https://[::1%lo]/',
      'https://[::1/',
      'https://fe80::1/',
      'https://[127.0.0.1]/',
      'https://[::ffff:127.1]/',
      'https://acme.example:65536/',
      'https://acme.example:-1/',
      'https://a%20b.example/',
      'https://acme.example:80:443/',
    ],
  ],
  ['the port 0', /port 0/, ['https://acme.example:0/']],
] as const)('%s', (_what, words, urls) => {
  test.each(urls)('%j', (url) => {
    expect(urlMistakes(url)).toContainEqual(expect.stringMatching(words));
  });
});

test('several mistakes are reported together', () => {
  expect(urlMistakes('https://127.1:0/#x')).toHaveLength(3);
});

test.each([`https://${'a'.repeat(64)}.example/`, `https://${'a.'.repeat(126)}example/`])(
  '%s has no DNS name',
  (url) => {
    expect(urlMistakes(url)).toEqual([expect.stringMatching(/no DNS name can be/)]);
    expect(urlMistakes(`https://${'a'.repeat(63)}.example/`)).toEqual([]);
  },
);
