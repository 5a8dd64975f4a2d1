/**
 * The code that opens an invitation, which is sent by another channel than its link: seven random characters and a
 * check character, so that a typing mistake is found in the form, and does not count as a guess.
 */

/** Crockford's base 32: no letter looks like a digit. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const RANDOM_CHARS = 7;

/** @param random at least 7 bytes, of which the lowest 5 bits each are used */
export function makeInvitationCode(random: Uint8Array): string {
  const body = [...random.subarray(0, RANDOM_CHARS)].map((byte) => ALPHABET[byte & 31]).join('');
  const code = body + checkOf(body);
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}

/**
 * @returns the code in the form in which it is compared: capitals, without the dash; undefined if it is not a valid
 *   code
 */
export function readInvitationCode(typed: string): string | undefined {
  const code = typed.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1');
  if (code.length !== RANDOM_CHARS + 1 || [...code].some((one) => !ALPHABET.includes(one))) return undefined;
  return checkOf(code.slice(0, RANDOM_CHARS)) === code.at(-1) ? code : undefined;
}

/** Luhn's algorithm modulo 32: it detects every wrong character, and nearly every exchange of neighbors. */
function checkOf(body: string): string {
  let sum = 0;
  for (const [index, one] of [...body].reverse().entries()) {
    const doubled = ALPHABET.indexOf(one) * (index % 2 === 0 ? 2 : 1);
    sum += Math.floor(doubled / 32) + (doubled % 32);
  }
  return ALPHABET[(32 - (sum % 32)) % 32] ?? '';
}
