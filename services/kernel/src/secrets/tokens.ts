import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { CUSTOMER_PATTERN } from '@databridge/schemas/records/topics';
import { INTAKE_ROLE, type Role } from '@databridge/schemas/rights/route-rights';
import { z } from 'zod';
import { DatabridgeError } from '../errors.ts';

const person = { id: z.string().min(1).max(400), name: z.string() };

/**
 * The rights of each role are in schemas/src/rights. `id` is the identity for limits and idempotency keys: two tokens
 * never share one, whatever their names are. It is not a secret.
 */
const persons = [
  z.object({ ...person, role: z.literal('operator') }),
  /** `payloads`: the token may also read the content of events. */
  z.object({ ...person, role: z.literal('reader'), payloads: z.literal(true).exactOptional() }),
  z.object({ ...person, role: z.literal('customer'), customer: z.string().regex(CUSTOMER_PATTERN) }),
] as const;
const personSchema = z.discriminatedUnion('role', persons);
/** The owner of a token, or a person who signed in. */
export type Person = Readonly<z.infer<typeof personSchema>>;

export const callerSchema = z.discriminatedUnion('role', [
  ...persons,
  /** The listener of the set-up page, which a control plane itself runs. */
  z.object({ ...person, role: z.literal(INTAKE_ROLE) }),
]);
export type Caller = Readonly<z.infer<typeof callerSchema>>;

/** The right of a reader to read the content of events, written after its role. */
const PAYLOADS = 'reader+payloads';
/** The role as a token's line names it. */
export type TokenRole = Role | typeof PAYLOADS;

interface Entry {
  readonly caller: Person;
  readonly hash: Buffer;
}

/** 256 random bits: it cannot be guessed, so a slow hash is not needed. */
const TOKEN_BYTES = 32;
/** 128 bits of the token's hash: enough to distinguish tokens, and of no use for guessing one. */
const ID_HEX_CHARS = 32;
const hashOf = (token: string) => createHash('sha256').update(token).digest();

/** Bearer tokens as hashes, one per line: `name operator <sha-256 in hex>`, `name customer:acme <…>`. */
export class Tokens {
  readonly #entries: readonly Entry[];

  /** @throws {DatabridgeError} DB_CONFIG_INVALID; no message quotes a line, since it may contain a token by mistake */
  constructor(text: string) {
    const lines = text
      .split(/[\n,]/)
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'));
    this.#entries = lines.map((line, index) => {
      const entry = parseLine(line);
      if (entry !== undefined) return entry;
      throw new DatabridgeError(
        'DB_CONFIG_INVALID',
        `Token ${index + 1} is not "name role hash", as "databridge tokens generate" prints it`,
      );
    });
  }

  /** Compares with all tokens, each in constant time: the duration reveals nothing. */
  callerOf(token: string): Person | undefined {
    const hash = hashOf(token);
    let found: Person | undefined;
    for (const entry of this.#entries) if (timingSafeEqual(entry.hash, hash)) found = entry.caller;
    return found;
  }

  /** @returns undefined if no token that is known now has this {@link Caller.id} */
  callerById(id: string): Person | undefined {
    return this.#entries.find(({ caller }) => caller.id === id)?.caller;
  }

  /** @returns the token, which is shown once, and its line for API_TOKENS */
  static generate(name: string, role: TokenRole, customer?: string): { token: string; line: string } {
    const token = `dbt_${randomBytes(TOKEN_BYTES).toString('base64url')}`;
    return { token, line: Tokens.lineFor(token, name, role, customer) };
  }

  /** @throws {DatabridgeError} DB_INPUT_INVALID */
  static lineFor(token: string, name: string, role: TokenRole, customer?: string): string {
    const line = `${name} ${role === 'customer' ? `customer:${customer ?? ''}` : role} ${hashOf(token).toString('hex')}`;
    if (parseLine(line) !== undefined) return line;
    throw new DatabridgeError(
      'DB_INPUT_INVALID',
      'The name of a token is one word; the role customer also needs the customer’s name',
    );
  }
}

function parseLine(line: string): Entry | undefined {
  const [name = '', given = '', hash = '', ...rest] = line.split(/\s+/);
  const [role = '', customer] = given.split(':');
  if (rest.length > 0 || !/^[\w.@-]{1,64}$/.test(name) || !/^[0-9a-f]{64}$/.test(hash)) return undefined;
  const bytes = Buffer.from(hash, 'hex');
  const id = `token:${hash.slice(0, ID_HEX_CHARS)}`;
  if (role === 'customer') {
    if (customer === undefined || !CUSTOMER_PATTERN.test(customer)) return undefined;
    return { caller: { id, name, role, customer }, hash: bytes };
  }
  if (customer !== undefined) return undefined;
  if (role === PAYLOADS) return { caller: { id, name, role: 'reader', payloads: true }, hash: bytes };
  return role === 'operator' || role === 'reader' ? { caller: { id, name, role }, hash: bytes } : undefined;
}
