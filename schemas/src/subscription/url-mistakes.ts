/** Mistakes in the text of a URL: whether all URL parsers find the same host in it. */
import { domainToUnicode } from 'node:url';

/**
 * URL parsers disagree about odd spellings: `https:\\host`, `0177.1`, full-width digits, a host before an `@`. The
 * WHATWG parser accepts almost everything, so its result is compared with the given text: if they differ, the URL is
 * refused with the intended spelling.
 * @returns the mistakes, each completing "`<where>` …"
 */
export function urlMistakes(text: string): string[] {
  // The parser removes tabs, line ends and outer spaces silently; here they are a mistake.
  if (/[\s\p{Cc}\p{Cf}]/u.test(text)) return ['must not contain spaces or invisible characters'];
  const parsed = URL.parse(text);
  if (!parsed) return ['is not a URL'];
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') return ['must begin with https:// (or http://)'];
  const authority = /^https?:\/\/([^/?#\\]*)(.?)/i.exec(text);
  if (authority === null || authority[1] === '') return ['must begin with https:// and a host'];
  const [, written = '', next] = authority;
  if (next === '\\') return ['must not contain a backslash instead of a slash'];
  // `https://@host` has no credentials, and yet two parsers may find two hosts.
  if (written.includes('@')) return ['must not contain credentials: set them under authentication'];
  const mistakes: string[] = [];
  const host = hostMistake(written.replace(/:\d*$/, ''), parsed.hostname);
  if (host !== undefined) mistakes.push(host);
  if (parsed.port === '0') mistakes.push('must not have the port 0');
  if (parsed.hash !== '' || text.includes('#')) mistakes.push('must not have a #fragment: it is never sent');
  return mistakes;
}

function hostMistake(written: string, read: string): string | undefined {
  // An IPv6 address has many valid spellings, and every parser knows all of them.
  if (written.startsWith('[')) return undefined;
  if (read.endsWith('.') || written.endsWith('.')) return 'must not have a host that ends with a dot';
  if (read.split('.').includes('')) return 'must not have a host with an empty part';
  // RFC 1035 §2.3.4: no resolver finds it, and its deliveries would fail for a day.
  if (read.length > 253 || read.split('.').some((label) => label.length > 63)) {
    return 'has a host that no DNS name can be: 253 characters at most, 63 between dots';
  }
  // ASCII only: by Unicode's rules the Kelvin sign, too, has a small letter k.
  const lowerCase = written.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  if (lowerCase === read || lowerCase === domainToUnicode(read)) return undefined;
  return `has a host in an unusual spelling: write it as ${read}`;
}
