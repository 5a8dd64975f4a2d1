/** Sessions of the portal. The record's key is a digest, so its content is of no use to a reader of the topic. */
import { z } from 'zod';
import { decodeJson } from '../json-record.ts';
import { ROLES } from '../rights/route-rights.ts';

const session = z.object({
  /** `link`: valid for one session; `session`: identified by a cookie. */
  kind: z.enum(['session', 'link']),
  /** The authentication of its owner: by a token of Databridge, or by the OpenID provider. */
  by: z.enum(['token', 'oidc']),
  caller: z.object({
    id: z.string(),
    name: z.string(),
    role: z.enum(ROLES),
    customer: z.string().exactOptional(),
    payloads: z.literal(true).exactOptional(),
  }),
  /** The time in ms since the epoch. */
  createdAtMs: z.number(),
  expiresAtMs: z.number(),
});

export type SessionRecord = z.infer<typeof session>;

export function encodeSession(record: SessionRecord): string {
  return JSON.stringify(record);
}

/** @returns undefined if the value is not a session */
export function decodeSession(value: Buffer): SessionRecord | undefined {
  return decodeJson(session, value);
}
