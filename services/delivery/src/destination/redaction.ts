import type { Secret } from '@databridge/kernel/secrets/secret';
import { systemClock } from '@databridge/kernel/time/clock';

/** Shorter texts would remove ordinary words; a text that short is not a secret. */
const MIN_LENGTH = 4;
/**
 * The least number of letters and digits of a secret that is searched for regardless of the characters between them.
 */
const MIN_CANONICAL_LENGTH = 6;
/**
 * A JSON escape in a URL takes six or more characters for one: an echo may be longer than the secret by this factor.
 */
const MAX_EXPANSION = 8;
/** The limit of decodings of one text, such as an HTML page that shows JSON that contains a URL. */
const MAX_DECODINGS = 4;
/** After this time, requests with a token that was replaced have ended. */
const RETIRED_FOR_MS = 120_000;
const MAX_RETIRED = 64;
/** The least number of characters of a part of a secret that is searched for. */
const MIN_END_LENGTH = 12;
/** The longest tag of HTML or XML, or mark of a text section, that is searched. */
const TAG = /<!\[CDATA\[|\]\]>|<[^<>]{0,40}>/g;

/** Replaces a text that contains a secret in a form that cannot be cut out. */
export const WITHHELD = '[withheld: the text contains a secret]';

/**
 * Removes secrets from the texts of others: an API that echoes the request, a token server that quotes it. Where a
 * secret is quoted as it is, or in one usual encoding, it alone is replaced. Where it shows only after decoding, or
 * with its case changed or line breaks and quotes between its characters, the whole text is withheld.
 */
export class Redaction {
  readonly #secrets = new Map<string, Forms>();
  /** The end of each secret's time by the monotonic clock, the earliest first. */
  readonly #retired = new Map<string, number>();
  #literal: RegExp | undefined;

  constructor(secrets: Iterable<Secret | string> = []) {
    for (const secret of secrets) this.add(secret);
  }

  add(secret: Secret | string): void {
    const text = typeof secret === 'string' ? secret : secret.reveal();
    this.#dropRetired();
    this.#retired.delete(text);
    if (text.length < MIN_LENGTH || this.#secrets.has(text)) return;
    this.#secrets.set(text, formsOf(text));
    this.#literal = undefined;
  }

  /**
   * The secret is not used any more, but requests with it may still be in flight: it is searched for a while longer.
   */
  retire(text: string): void {
    if (!this.#secrets.has(text)) return;
    this.#retired.delete(text);
    this.#retired.set(text, systemClock.monotonicMs() + RETIRED_FOR_MS);
    this.#dropRetired();
  }

  /** To find a secret that begins within the first `shownBytes` of a text, this many bytes must be searched. */
  windowBytes(shownBytes: number): number {
    let longest = 0;
    for (const secret of this.#secrets.keys()) longest = Math.max(longest, Buffer.byteLength(secret));
    return shownBytes + longest * MAX_EXPANSION;
  }

  /** @param maxChars the limit of the result, which is truncated after the secrets are removed */
  apply(text: string, maxChars = Number.POSITIVE_INFINITY): string {
    if (this.#secrets.size === 0) return text.slice(0, maxChars);
    this.#literal ??= literalPattern([...this.#secrets.values()]);
    const redacted = text.replaceAll(this.#literal, '[secret]');
    return this.#containsSecret(redacted) ? WITHHELD : redacted.slice(0, maxChars);
  }

  #containsSecret(text: string): boolean {
    let view = text.replaceAll('[secret]', ' ').normalize('NFKD');
    for (let round = 0; round <= MAX_DECODINGS; round++) {
      const withoutTags = view.replace(TAG, '');
      if (this.#shows(view) || (withoutTags !== view && this.#shows(withoutTags))) return true;
      const decoded = decodedOnce(view);
      if (decoded === view) return false;
      view = decoded;
    }
    return false;
  }

  #shows(view: string): boolean {
    const canonical = canonicalOf(view);
    const compact = compactOf(view);
    for (const { canonicals, compacts } of this.#secrets.values()) {
      if (canonicals.some((form) => canonical.includes(form))) return true;
      if (compacts.some((form) => compact.includes(form))) return true;
    }
    return false;
  }

  #dropRetired(): void {
    const nowMs = systemClock.monotonicMs();
    for (const [text, untilMs] of this.#retired) {
      if (untilMs > nowMs && this.#retired.size <= MAX_RETIRED) break;
      this.#retired.delete(text);
      this.#secrets.delete(text);
      this.#literal = undefined;
    }
  }
}

/** The patterns to search for, of one secret. */
interface Forms {
  /** Patterns in the original form, in upper or lower case. */
  readonly literals: readonly string[];
  /** Patterns among the letters and digits of a text. */
  readonly canonicals: readonly string[];
  /** For secrets with too few letters and digits: among all characters except blanks, quotes and backslashes. */
  readonly compacts: readonly string[];
}

function formsOf(secret: string): Forms {
  const bytes = Buffer.from(secret);
  const inJson = JSON.stringify(secret).slice(1, -1);
  const literals = [
    ...[secret, inJson, inJson.replaceAll('/', '\\/'), encodeURIComponent(secret), encodeURI(secret), inForm(secret)],
    ...[inHtml(secret), bytes.toString('base64'), bytes.toString('base64url'), bytes.toString('hex')],
  ];
  const encoded = encodings(bytes);
  const twice = encoded.flatMap((text) => encodings(Buffer.from(text)));
  const utf16 = Buffer.from(secret, 'utf16le');
  const others = [Buffer.from(inJson), Buffer.from(secret, 'latin1'), utf16, Buffer.from(utf16).swap16()];
  const decomposed = secret.normalize('NFKD');
  const reversed = [...decomposed].reverse().join('');
  const texts = [secret, decomposed, reversed, [...bytes].join(','), base32Of(bytes)];
  const canonical = [...texts, ...encoded, ...twice, ...others.flatMap(encodings)].map(canonicalOf).flatMap(ends);
  const hasEnough = canonicalOf(secret).length >= MIN_CANONICAL_LENGTH;
  return {
    literals: [...new Set(literals)].filter((form) => form.length >= MIN_LENGTH),
    canonicals: [...new Set(canonical)].filter((form) => form.length >= MIN_CANONICAL_LENGTH),
    compacts: hasEnough ? [] : [compactOf(secret)].filter((form) => form.length >= MIN_LENGTH),
  };
}

function encodings(bytes: Buffer): string[] {
  return [bytes.toString('hex'), ...base64Cores(bytes)];
}

/**
 * The parts that a server shows of a long text when it truncates it: three quarters, from either end, reveal too much.
 * A few characters, by which people recognize a key, do not.
 */
function ends(form: string): string[] {
  const length = Math.ceil(form.length * 0.75);
  return length < MIN_END_LENGTH ? [form] : [form.slice(0, length), form.slice(-length)];
}

/** The longest first, so that no part of a longer one remains. */
function literalPattern(all: readonly Forms[]): RegExp {
  const literals = new Set(all.flatMap(({ literals }) => literals));
  const longestFirst = [...literals].sort((a, b) => b.length - a.length);
  return new RegExp(longestFirst.map((form) => form.replace(/[$()*+./?[\\\]^{|}-]/g, '\\$&')).join('|'), 'gi');
}

/**
 * The characters of a Base64 text that depend on these bytes only, at each of the three positions that they may have
 * within groups of three bytes.
 */
function base64Cores(bytes: Buffer): string[] {
  return [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const first = Math.ceil((before * 8) / 6);
    return encoded.slice(first, Math.floor(((before + bytes.length) * 8) / 6));
  });
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** RFC 4648 §6, without the characters that depend on the bytes that follow. */
function base32Of(bytes: Buffer): string {
  let text = '';
  for (let bit = 0; bit + 5 <= bytes.length * 8; bit += 5) {
    const two = ((bytes[bit >> 3] ?? 0) << 8) | (bytes[(bit >> 3) + 1] ?? 0);
    text += BASE32[(two >> (11 - (bit & 7))) & 31];
  }
  return text;
}

/** Letters and digits in lower case: Base64 and Base64url become the same, and hex loses its separators. */
function canonicalOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[0\\]x(?=[0-9a-f]{2})/g, '')
    .replace(/[^a-z0-9]+/g, '');
}

function compactOf(text: string): string {
  return text.toLowerCase().replace(/[\s"'`\\]+/g, '');
}

function inForm(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}

const HTML_NAMES: Readonly<Record<string, string>> = {
  ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', plus: '+', sol: '/', equals: '=', colon: ':' },
  ...{ comma: ',', period: '.', semi: ';', excl: '!', quest: '?', num: '#', dollar: '$', percnt: '%', lpar: '(' },
  ...{ rpar: ')', ast: '*', commat: '@', lsqb: '[', rsqb: ']', lbrack: '[', rbrack: ']', bsol: '\\', Hat: '^' },
  ...{ lowbar: '_', grave: '`', lcub: '{', rcub: '}', lbrace: '{', rbrace: '}', vert: '|', verbar: '|', hyphen: '-' },
};

function inHtml(text: string): string {
  const named: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (one) => named[one] ?? one);
}

/** Removes one layer of URL, HTML, JSON, JavaScript and quoted-printable escapes, anywhere in the text. */
function decodedOnce(text: string): string {
  return text
    .replace(/=\r?\n/g, '')
    .replace(/(?:%[0-9a-f]{2})+/gi, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'))
    .replace(/\\u\{0*([0-9a-f]{1,6})\}|[\\%]u([0-9a-f]{4})/gi, (whole, inBraces?: string, four = '') =>
      characterOf(Number.parseInt(inBraces ?? four, 16), whole),
    )
    .replace(/(?:\\[0-3][0-7]{2})+/g, (run) =>
      Buffer.from(
        run
          .split('\\')
          .slice(1)
          .map((octal) => Number.parseInt(octal, 8)),
      ).toString('utf8'),
    )
    .replace(/(?:[\\=][x]?[0-9a-f]{2})+/gi, (run) => bytesOf(run))
    .replace(/&#x0*([0-9a-f]{1,6});?/gi, (whole, hex: string) => characterOf(Number.parseInt(hex, 16), whole))
    .replace(/&#0*(\d{1,7});?/g, (whole, digits: string) => characterOf(Number(digits), whole))
    .replace(/&([a-z]{2,8});/gi, (whole, name: string) => HTML_NAMES[name] ?? whole);
}

/** `\x41`, and `=41` in quoted-printable. */
function bytesOf(run: string): string {
  const bytes = run.match(/[0-9a-f]{2}(?![0-9a-f])/gi);
  return bytes === null ? run : Buffer.from(bytes.join(''), 'hex').toString('utf8');
}

function characterOf(code: number, otherwise: string): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : otherwise;
}
