import { Redaction, WITHHELD } from './redaction.ts';

const SECRET = 'S3cr&t/"pässword+42%';
const bytes = Buffer.from(SECRET);
const everyCharacter = (write: (code: number) => string) =>
  [...SECRET].map((one) => write(one.codePointAt(0) ?? 0)).join('');

/** RFC 4648 §6, without padding. */
function base32(given: Buffer): string {
  const bits = [...given].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const fives = bits.match(/.{1,5}/g) ?? [];
  return fives.map((five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(five.padEnd(5, '0'), 2)]).join('');
}

const around = (echo: string) => `<p>unknown user: ${echo}, try again</p>`;

test.each([
  ['as it is', SECRET],
  ['in a URL', encodeURIComponent(SECRET)],
  ['in a form', new URLSearchParams({ '': SECRET }).toString().slice(1)],
  ['in JSON', JSON.stringify(SECRET).slice(1, -1)],
  ['in Base64', bytes.toString('base64')],
  ['in Base64url', bytes.toString('base64url')],
  ['in hex', bytes.toString('hex')],
  ['in upper case hex', bytes.toString('hex').toUpperCase()],
  ['in HTML', SECRET.replace('&', '&amp;').replace('"', '&quot;')],
])('%s it alone is replaced', (_how, echo) => {
  expect(new Redaction([SECRET]).apply(around(echo))).toBe(around('[secret]'));
});

test.each([
  ['within Base64', Buffer.from(`{"user":"u","password":"${SECRET}"}`).toString('base64')],
  ['within Base64, shifted by one', Buffer.from(`x${SECRET}y`).toString('base64')],
  ['within Base64, shifted by two', Buffer.from(`xy${SECRET}z`).toString('base64url')],
  ['in Base64 of Base64', Buffer.from(bytes.toString('base64')).toString('base64')],
  ['in hex of Base64', Buffer.from(bytes.toString('base64')).toString('hex')],
  ['in hex with colons', bytes.toString('hex').match(/../g)?.join(':') ?? ''],
  ['as \\x', [...bytes].map((byte) => `\\x${byte.toString(16)}`).join('')],
  ['as a list of bytes', JSON.stringify([...bytes])],
  ['as decimal HTML references', everyCharacter((code) => `&#${code};`)],
  ['as hexadecimal HTML references', everyCharacter((code) => `&#x${code.toString(16).toUpperCase()};`)],
  ['as unicode escapes', everyCharacter((code) => `\\u${code.toString(16).padStart(4, '0')}`)],
  ['as unicode escapes of ES2015', everyCharacter((code) => `\\u{${code.toString(16).padStart(4, '0')}}`)],
  ['percent-encoded throughout', [...bytes].map((byte) => `%${byte.toString(16)}`).join('')],
  ['percent-encoded twice', encodeURIComponent(encodeURIComponent(SECRET))],
  ['in JSON in JSON', JSON.stringify(JSON.stringify(SECRET)).slice(1, -1)],
  ['over two lines', `${SECRET.slice(0, 9)}\r\n   ${SECRET.slice(9)}`],
  ['as strings that are joined', `"${SECRET.slice(0, 9)}" + '${SECRET.slice(9)}'`],
  [
    'in Base64 of lines',
    bytes
      .toString('base64')
      .match(/.{1,8}/g)
      ?.join('\n') ?? '',
  ],
  ['backwards', [...SECRET].reverse().join('')],
  ['as short unicode escapes of ES2015', everyCharacter((code) => `\\u{${code.toString(16)}}`)],
  ['as octal escapes', [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')],
  ['in Base64 of UTF-16', Buffer.from(SECRET, 'utf16le').toString('base64')],
  ['in hex of UTF-16', Buffer.from(SECRET, 'utf16le').swap16().toString('hex')],
  ['in Base64 of Latin-1', Buffer.from(SECRET, 'latin1').toString('base64')],
  ['in Base64 of JSON', Buffer.from(JSON.stringify({ password: SECRET })).toString('base64')],
  ['in Base32', base32(bytes)],
  ['decomposed', SECRET.normalize('NFD')],
  ['with combining marks', [...SECRET].join('\u0301')],
  ['in full-width letters', SECRET.replace(/[!-~]/g, (one) => String.fromCharCode(one.charCodeAt(0) + 0xfee0))],
  ['with a tag in it', `${SECRET.slice(0, 6)}<wbr>${SECRET.slice(6)}`],
  ['in two sections of XML', `<![CDATA[${SECRET.slice(0, 6)}]]><![CDATA[${SECRET.slice(6)}]]>`],
  ['quoted-printable', [...bytes].map((byte) => `=${byte.toString(16).toUpperCase()}`).join('')],
])('%s nothing is kept', (_how, echo) => {
  const shown = new Redaction([SECRET]).apply(around(echo));
  expect(shown === WITHHELD || shown.includes('[secret]')).toBe(true);
  expect(shown).not.toContain(echo);
});

test.each(['SECRET-Token-0123', 'secret-TOKEN-0123'])('in another case (%s)', (echo) => {
  expect(new Redaction(['secret-token-0123']).apply(around(echo))).toBe(around('[secret]'));
});

test.each([
  ['its beginning', (secret: string) => `${secret.slice(0, 20)}… (24 characters)`],
  ['its end', (secret: string) => `…${secret.slice(-20)}`],
  ['the beginning of its Base64', (secret: string) => `${Buffer.from(secret).toString('base64').slice(0, 28)}...`],
])('of an echo that a server cuts, %s is not kept either', (_what, cut) => {
  expect(new Redaction(['sk-live-4fQz81xKpLw09aTe']).apply(around(cut('sk-live-4fQz81xKpLw09aTe')))).toBe(WITHHELD);
});

test('a few characters by which a key is recognized stay', () => {
  for (const shown of ['sk-live-…', '…9aTe', 'sk-live-4f…']) {
    expect(new Redaction(['sk-live-4fQz81xKpLw09aTe']).apply(around(shown))).toBe(around(shown));
  }
});

test('what contains no secret stays as it is', () => {
  const page = '<html><body>&lt;no&gt; such tenant: 100% unknown \\u00e9 c2VjcmV0 6162</body></html>';
  expect(new Redaction([SECRET, 'abcd', 'a-long-token.with.three-parts']).apply(page)).toBe(page);
});

test('a secret across the cut leaves nothing behind', () => {
  const redaction = new Redaction([SECRET]);
  for (let before = 90; before <= 100; before++) {
    const shown = redaction.apply(`${'x'.repeat(before)}${SECRET}`, 100);
    expect(shown).not.toContain('S3c');
    expect(shown.length).toBeLessThanOrEqual(100);
  }
});

test('so much of an answer is looked at that a secret which begins before the cut is whole', () => {
  const redaction = new Redaction(['x'.repeat(100)]);
  expect(redaction.windowBytes(2_048)).toBeGreaterThanOrEqual(2_048 + 6 * 100);
});

test('a token that was replaced is still looked for', () => {
  const redaction = new Redaction(['old-token-1234']);
  redaction.retire('old-token-1234');
  redaction.add('new-token-1234');
  expect(redaction.apply('old-token-1234 new-token-1234')).toBe('[secret] [secret]');
});

test('many old tokens are bounded', () => {
  const redaction = new Redaction();
  for (let nth = 0; nth < 1_000; nth++) {
    redaction.add(`token-number-${nth}-of-many`);
    redaction.retire(`token-number-${nth}-of-many`);
  }
  expect(redaction.apply('token-number-1-of-many')).toBe('token-number-1-of-many');
  expect(redaction.apply('token-number-999-of-many')).toBe('[secret]');
});

test('64 KiB of a hostile answer take little time', () => {
  const redaction = new Redaction([SECRET, 'another-secret-of-32-characters!']);
  const hostile = ['%5c%75', '&#x26;', '\\u005c', '=3D', '&amp;'].map((one) => one.repeat(65_536 / one.length));
  const startedAtMs = performance.now();
  for (const text of hostile) redaction.apply(text, 2_048);
  // A quadratic search would take minutes.
  expect(performance.now() - startedAtMs).toBeLessThan(10_000);
});
