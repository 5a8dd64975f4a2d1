/**
 * The format of a new secret at each place. It uses nothing of Node, since the page where customers enter secrets uses
 * it too: nobody between that page and the delivery worker can check them.
 */
import { SECRET_MASK } from './secret-places.ts';

export interface SecretRule {
  readonly pattern: RegExp;
  /** The mistake of a secret that does not match. The text must not quote one. */
  readonly message: string;
}

const VISIBLE = {
  pattern: /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/,
  message: 'must be one line of printable ASCII, not empty, without spaces around it',
};

/** Rules by kind of secret; the mask is accepted, since a subscription may be sent back as it was read. */
export const SECRET_RULES = {
  password: { pattern: /^\P{Cc}*$/u, message: 'must not contain control characters' },
  key: VISIBLE,
  clientSecret: VISIBLE,
  parameter: { pattern: /^\P{Cc}+$/u, message: 'must not be empty or contain control characters' },
  secretAccessKey: {
    pattern: /^(?:[A-Za-z0-9/+=]{16,256}|\[secret\])$/,
    message: 'is not an AWS secret access key',
  },
  clientKey: {
    pattern: /^(?:(?![\s\S]*ENCRYPTED)[\s\S]*-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*|\[secret\])$/,
    message: 'is not an unencrypted private key in PEM; Databridge seals it before storing it',
  },
  // Standard Webhooks requires 24 to 64 bytes; an Ed25519 key is its seed, alone or with the public key.
  signing: {
    pattern:
      /^(?:whsec_(?:[A-Za-z0-9+/]{4}){8,21}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?|whsk_(?:[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{86}==)|\[secret\])$/,
    message: 'must be whsec_ and the base64 of 24 to 64 bytes, or whsk_ and the base64 of an Ed25519 key',
  },
} as const satisfies Readonly<Record<string, SecretRule>>;

/** The limit of a secret's length, in characters. */
const MAX_SECRET_CHARS = 65_536;

/** @param place as `mapSecrets` names it @returns the mistake of a new secret for that place, without quoting it */
export function secretMistake(place: string, secret: string): string | undefined {
  if (secret === SECRET_MASK) return 'must be the new secret, not the mask that answers show';
  if (secret.length > MAX_SECRET_CHARS) return `must be at most ${MAX_SECRET_CHARS} characters long`;
  const last = place.split('.').at(-1) ?? '';
  const name = place.startsWith('signing.') ? 'signing' : last === 'secret' ? 'parameter' : last;
  if (!Object.hasOwn(SECRET_RULES, name)) return 'is at a place where no secret is kept';
  const { pattern, message } = SECRET_RULES[name as keyof typeof SECRET_RULES];
  return pattern.test(secret) ? undefined : message;
}

/** As shells, Windows, PowerShell, templates and instructions write what is to be filled in. */
const PLACEHOLDERS = [
  /^\$[A-Z_][A-Z0-9_]*$/,
  /^\$(?:\{.*\}|\(.*\))$/,
  /^\$env:\w+$/i,
  /^%[A-Za-z_]\w*%$/,
  /^\{\{.*\}\}$/,
  /^<[^<>]+>$/,
];

/**
 * Returns whether a secret looks like the name of one: a variable that nobody filled in, or the blank of some
 * instructions.
 */
export function isPlaceholder(secret: string): boolean {
  return PLACEHOLDERS.some((pattern) => pattern.test(secret.trim()));
}
