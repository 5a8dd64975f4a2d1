/**
 * The assertion with which one control plane sends a request to another on a caller's behalf: a signed statement (JWS)
 * that is valid once, for seconds, for one receiver, one route and one body. The caller's own token is not passed on,
 * and the body, which may contain secrets, is encrypted (JWE).
 */
import { createHash, randomUUID } from 'node:crypto';
import { DatabridgeError } from '@databridge/kernel/errors';
import { type Caller, callerSchema } from '@databridge/kernel/secrets/tokens';
import { CompactEncrypt, compactDecrypt, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { Owner } from './owner-record.ts';
import type { PeerKeys } from './peer-keys.ts';

export interface ForwardedCall {
  readonly method: string;
  /** In canonical form: path and query as `canonicalTarget` makes them from the matched route. */
  readonly target: string;
  /** The headers that affect what the request does, such as `if-match`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly caller: Caller;
}

/** A call whose assertion was accepted. The body that arrives must have that digest. */
export interface AcceptedCall extends ForwardedCall {
  readonly bodyDigest: string;
}

const TYPE = 'databridge-forward+jwt';
const ISSUER = 'databridge-control-plane';
/** The limit of the time from signing to receipt. */
const LIFE_SECONDS = 15;
/** The greatest difference of the hosts' clocks; beyond it, forwarding is refused. */
const CLOCK_TOLERANCE_SECONDS = 30;
/**
 * The limit of ids that are remembered until they expire; above it, new ones are refused rather than old ones
 * forgotten.
 */
const MAX_REMEMBERED = 100_000;

const claimsSchema = z.object({
  jti: z.string().min(1).max(64),
  iat: z.number(),
  exp: z.number(),
  method: z.string(),
  target: z.string(),
  headers: z.record(z.string(), z.string()),
  caller: callerSchema,
  bodyDigest: z.string(),
});

export const bodyDigest = (body: string | Buffer) => createHash('sha256').update(body).digest('base64url');
export const NO_BODY = bodyDigest('');

const refused = (why: string) =>
  new DatabridgeError('DB_FORWARDING_REFUSED', `The assertion of the forwarding control plane was refused: ${why}`);

export class Assertions {
  readonly #keys: PeerKeys;
  readonly #nowMs: () => number;
  /** The ids that were used, with their expiry. They are in the order of arrival, which is nearly that of expiry. */
  readonly #used = new Map<string, number>();

  constructor(keys: PeerKeys, nowMs: () => number = Date.now) {
    this.#keys = keys;
    this.#nowMs = nowMs;
  }

  /** @returns the name of a key that both have; undefined if they have no key in common */
  commonKey({ kids }: Pick<Owner, 'kids'>): string | undefined {
    return [...this.#keys.signing.keys()].find((kid) => kids.includes(kid));
  }

  /** @param body as it is sent */
  async sign(call: ForwardedCall, body: string, { origin }: Pick<Owner, 'origin'>, kid: string): Promise<string> {
    const nowSeconds = Math.floor(this.#nowMs() / 1_000);
    return await new SignJWT({ ...call, bodyDigest: bodyDigest(body) })
      .setProtectedHeader({ alg: 'HS256', typ: TYPE, kid })
      .setIssuer(ISSUER)
      .setAudience(origin)
      .setJti(randomUUID())
      .setIssuedAt(nowSeconds)
      .setExpirationTime(nowSeconds + LIFE_SECONDS)
      .sign(this.#key(this.#keys.signing, kid));
  }

  /**
   * @param seen the request as this control plane reads it
   * @param origin of this control plane
   * @throws {DatabridgeError} DB_FORWARDING_REFUSED
   */
  async accept(assertion: string, seen: Omit<ForwardedCall, 'caller'>, origin: string): Promise<AcceptedCall> {
    const claims = await this.#claimsOf(assertion, origin);
    if (claims.exp - claims.iat > LIFE_SECONDS) throw refused('it is good for longer than allowed');
    if (claims.method !== seen.method || claims.target !== seen.target) throw refused('it is for another route');
    const names = new Set([...Object.keys(claims.headers), ...Object.keys(seen.headers)]);
    for (const name of names) {
      if (claims.headers[name] !== seen.headers[name]) throw refused(`it is for another ${name} header`);
    }
    this.#useOnce(claims.jti, (claims.exp + CLOCK_TOLERANCE_SECONDS) * 1_000);
    return { ...seen, caller: claims.caller as Caller, bodyDigest: claims.bodyDigest };
  }

  async encrypt(body: string, kid: string): Promise<string> {
    return await new CompactEncrypt(new TextEncoder().encode(body))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid })
      .encrypt(this.#key(this.#keys.encryption, kid));
  }

  /** @throws {DatabridgeError} DB_FORWARDING_REFUSED */
  async decrypt(body: string): Promise<string> {
    try {
      const options = { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] };
      const opened = await compactDecrypt(
        body,
        ({ kid }: { kid?: string }) => this.#key(this.#keys.encryption, String(kid)),
        options,
      );
      return new TextDecoder().decode(opened.plaintext);
    } catch {
      throw refused('its body cannot be decrypted');
    }
  }

  async #claimsOf(assertion: string, origin: string): Promise<z.infer<typeof claimsSchema>> {
    try {
      const key = ({ kid }: { kid?: string }) => this.#key(this.#keys.signing, String(kid));
      const { payload } = await jwtVerify(assertion, key, {
        ...{ algorithms: ['HS256'], typ: TYPE, issuer: ISSUER, audience: origin },
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(this.#nowMs()),
      });
      return claimsSchema.parse(payload);
    } catch (error) {
      throw refused((error as { code?: string }).code ?? 'it is malformed');
    }
  }

  #useOnce(id: string, goodUntilMs: number): void {
    const nowMs = this.#nowMs();
    for (const [used, untilMs] of this.#used) {
      if (untilMs > nowMs) break;
      this.#used.delete(used);
    }
    if (this.#used.has(id)) throw refused('it was used before');
    if (this.#used.size >= MAX_REMEMBERED) throw refused('too many assertions arrived within a minute');
    this.#used.set(id, goodUntilMs);
  }

  #key(keys: ReadonlyMap<string, Uint8Array>, kid: string): Uint8Array {
    const key = keys.get(kid);
    if (key === undefined) throw refused(`its key "${kid}" is not among the sharing keys`);
    return key;
  }
}
