import { randomBytes } from 'node:crypto';

/** `prefix-<8 random characters>`: also fit for a customer's name (`[a-z0-9-]`). */
export function freshName(prefix: string): string {
  return `${prefix}-${randomBytes(4).toString('hex')}`;
}
