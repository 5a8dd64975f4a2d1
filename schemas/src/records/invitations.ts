/** Invitations to enter secrets on the set-up page: links that are good for one answer. Without the link or its code. */
import { z } from 'zod';

const grant = z.object({
  eventTypes: z.array(z.string()),
  match: z.unknown(),
  filter: z.string().optional(),
  sections: z.array(z.string()).optional(),
});

const invitation = z.object({
  /** SHA-256 of the link's id, base64url: whoever reads it can't make the link of it. */
  id: z.string(),
  customer: z.string(),
  /** `secrets`: at places that are there. `setup`: the customer states destination, authentication and rate. */
  kind: z.enum(['secrets', 'setup']),
  /** Of `secrets`: which. */
  places: z.array(z.string()),
  /** Of `setup`: what belongs to operators. */
  grant: grant.optional(),
  /** Of `setup`: hosts that the customer may name, `*.example.com` for all below; left out: any. */
  hosts: z.array(z.string()).optional(),
  /** Why it was sent, for the one who is invited. */
  reason: z.string().optional(),
  by: z.object({ name: z.string(), role: z.string() }),
  createdAtMs: z.number(),
  expiresAtMs: z.number(),
  /** HMAC of the code, under the key of that name. */
  code: z.object({ kid: z.string(), mac: z.string() }),
  /** Wrong codes so far. */
  failures: z.int(),
  /**
   *     open ──answered──▶ used
   *      ├──five wrong codes──▶ locked
   *      └──revoked, or renewed──▶ revoked
   */
  state: z.enum(['open', 'used', 'locked', 'revoked']),
  /** When the state last changed. */
  changedAtMs: z.number(),
  /** Of a used one: the ticket that answered it, by which the answer can be corrected. */
  ticket: z.string().optional(),
  /** Of a used one: what was answered to its latest answer; the same answer gets the same receipt. */
  receipt: z.object({ id: z.string(), digest: z.string(), atMs: z.number(), places: z.array(z.string()) }).optional(),
});

export type Invitation = z.infer<typeof invitation>;
export type Receipt = NonNullable<Invitation['receipt']>;

export function encodeInvitation(record: Invitation): string {
  return JSON.stringify(record);
}

/** @returns undefined for what is not an invitation */
export function decodeInvitation(value: Buffer): Invitation | undefined {
  try {
    const parsed = invitation.safeParse(JSON.parse(value.toString('utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
