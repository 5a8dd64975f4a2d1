/** The record that says which control plane makes the changes, and at which address it is reached. */
import { type GeneralJWS, GeneralSign, generalVerify } from 'jose';
import { z } from 'zod';
import type { PeerKeys } from './peer-keys.ts';

export interface Owner {
  /** An http(s) origin. */
  readonly origin: string;
  /** Rises with each takeover, so that a copy of an older record is recognized. */
  readonly term: number;
  /** The names of its sharing keys. */
  readonly kids: readonly string[];
}

const TYPE = 'databridge-owner';

const payloadSchema = z.object({
  origin: z.url({ protocol: /^https?$/ }).refine((url) => new URL(url).origin === url),
  term: z.int().min(0),
  kids: z.array(z.string()),
});

/** Signed with every sharing key, so that it can be verified during a rotation. */
export async function signOwner({ origin, term }: Omit<Owner, 'kids'>, { signing }: PeerKeys): Promise<string> {
  const owner: Owner = { origin, term, kids: [...signing.keys()] };
  const signer = new GeneralSign(new TextEncoder().encode(JSON.stringify(owner)));
  for (const [kid, key] of signing) signer.addSignature(key).setProtectedHeader({ alg: 'HS256', typ: TYPE, kid });
  return JSON.stringify(await signer.sign());
}

/** @returns undefined if none of our keys signed it, or it is not an owner's record */
export async function verifyOwner(record: string, { signing }: PeerKeys): Promise<Owner | undefined> {
  try {
    const { payload, protectedHeader } = await generalVerify(
      JSON.parse(record) as GeneralJWS,
      (header) => {
        const key = signing.get(String(header?.kid));
        if (key === undefined) throw new Error('signed under a key that is not in the ring');
        return key;
      },
      { algorithms: ['HS256'] },
    );
    if (protectedHeader?.typ !== TYPE) return undefined;
    return payloadSchema.parse(JSON.parse(new TextDecoder().decode(payload)));
  } catch {
    return undefined;
  }
}

/** Follows the record in the topic: after a forged or an older one, the last valid one remains in force. */
export class KnownOwner {
  readonly #keys: PeerKeys;
  readonly #onRefused: () => void;
  #record: string | undefined;
  #owner: Promise<Owner | undefined> = Promise.resolve(undefined);

  constructor(keys: PeerKeys, onRefused: () => void) {
    this.#keys = keys;
    this.#onRefused = onRefused;
  }

  /** @param record the latest one in the topic */
  read(record: string | undefined): Promise<Owner | undefined> {
    if (record === undefined || record === this.#record) return this.#owner;
    this.#record = record;
    const before = this.#owner;
    this.#owner = (async () => {
      const [known, found] = [await before, await verifyOwner(record, this.#keys)];
      if (found !== undefined && found.term >= (known?.term ?? 0)) return found;
      this.#onRefused();
      return known;
    })();
    return this.#owner;
  }
}
