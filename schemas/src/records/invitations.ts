/** Invitations to enter secrets on the set-up page, without their links and codes. A link is valid for one answer. */
import { z } from 'zod';
import { decodeJson } from '../json-record.ts';

const grant = z.object({
  eventTypes: z.array(z.string()),
  match: z.unknown(),
  filter: z.string().optional(),
  sections: z.array(z.string()).optional(),
});

const invitation = z.object({
  /** The SHA-256 of the link's id, base64url: the link cannot be made from it. */
  id: z.string(),
  customer: z.string(),
  /**
   * `secrets`: for places in an existing subscription. `setup`: the customer states destination, authentication and
   * rate.
   */
  kind: z.enum(['secrets', 'setup']),
  /** For `secrets`: the places. */
  places: z.array(z.string()),
  /** For `setup`: the fields that belong to operators. */
  grant: grant.optional(),
  /** For `setup`: the hosts that the customer may name, `*.example.com` for all hosts below it; if omitted, any. */
  hosts: z.array(z.string()).optional(),
  /** The reason, for the person who is invited. */
  reason: z.string().optional(),
  by: z.object({ name: z.string(), role: z.string() }),
  createdAtMs: z.number(),
  expiresAtMs: z.number(),
  /** The HMAC of the code, under the key of that name. */
  code: z.object({ kid: z.string(), mac: z.string() }),
  /** The number of wrong codes so far. */
  failures: z.int(),
  /**
   *     open ──answered──▶ used
   *      ├──five wrong codes──▶ locked
   *      └──revoked, or renewed──▶ revoked
   */
  state: z.enum(['open', 'used', 'locked', 'revoked']),
  /** When the state last changed. */
  changedAtMs: z.number(),
  /** After it was used: the ticket of the answer, with which the answer can be corrected. */
  ticket: z.string().optional(),
  /** After it was used: the receipt of its latest answer; the same answer gets the same receipt. */
  receipt: z.object({ id: z.string(), digest: z.string(), atMs: z.number(), places: z.array(z.string()) }).optional(),
});

export type Invitation = z.infer<typeof invitation>;
export type Receipt = NonNullable<Invitation['receipt']>;

export function encodeInvitation(record: Invitation): string {
  return JSON.stringify(record);
}

/** @returns undefined if the value is not an invitation */
export function decodeInvitation(value: Buffer): Invitation | undefined {
  return decodeJson(invitation, value);
}
