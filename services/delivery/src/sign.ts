import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { Secret } from '@databridge/kernel/secret';

/**
 * Signs by Standard Webhooks 1.0, symmetric (`v1`): HMAC-SHA256 over `id.timestamp.body`. Two secrets give two
 * signatures, so that a receiver can change its own at leisure.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export class Signer {
  readonly #keys: readonly KeyObject[];

  /** @param secrets `whsec_` and base64, the newest first */
  constructor(secrets: readonly Secret[]) {
    this.#keys = secrets.map((secret) =>
      createSecretKey(Buffer.from(secret.reveal().slice('whsec_'.length), 'base64')),
    );
  }

  /** @param timestampSeconds of this attempt, since the epoch */
  sign(id: string, timestampSeconds: number, body: string): string {
    const head = `${id}.${timestampSeconds}.`;
    return this.#keys
      .map((key) => `v1,${createHmac('sha256', key).update(head).update(body).digest('base64')}`)
      .join(' ');
  }
}
