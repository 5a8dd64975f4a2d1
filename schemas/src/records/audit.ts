/** The audit log: every change that somebody asked for. What was secret is not in it. */
import { z } from 'zod';

const subscriptionAsSeen = z.record(z.string(), z.unknown());

const auditRecord = z.object({
  /** Unique; a repetition of the record has the same. */
  id: z.string(),
  /** ms since the epoch, by the clock of the control plane; the record's own time is the broker's. */
  at: z.number(),
  who: z.object({
    /** Tells tokens of one name apart. Absent in records that are older than it, and for the service itself. */
    id: z.string().optional(),
    name: z.string(),
    role: z.string(),
    customer: z.string().optional(),
  }),
  what: z.enum([
    'create',
    'replace',
    'delete',
    'pause',
    'resume',
    'enable',
    'disable',
    'set-secret',
    'end-fallback',
    'request-certificate',
    'invite',
    'renew-invitation',
    'revoke-invitation',
    'lock-invitation',
    'approve',
    'reseal',
    'rewind',
    'redeliver',
    'redrive',
    'discard',
    'redrive-quarantine',
    'discard-quarantine',
    'open-quarantine',
    'rotate-keys',
    'test',
    'read-payload',
    'produce',
    'rehearse',
    'erase',
    'erased',
  ]),
  /** Absent: it concerns no one customer. */
  customer: z.string().optional(),
  /** The subscription, secrets masked. Absent: there was none, or it did not change. */
  before: subscriptionAsSeen.optional(),
  after: subscriptionAsSeen.optional(),
  /** Set when before and after were too large to be kept: the first differences, by JSON pointer, long values cut. */
  changes: z
    .array(z.object({ pointer: z.string(), before: z.string().optional(), after: z.string().optional() }))
    .optional(),
  /** Differences beyond those in `changes`. */
  moreChanges: z.int().optional(),
  /** Which secrets are other ones than before: their places, such as `authentication.key`. */
  secrets: z.array(z.string()).optional(),
  /** What an operation was asked to do. */
  detail: z.record(z.string(), z.unknown()).optional(),
});

export type AuditRecord = z.infer<typeof auditRecord>;
export type AuditedAction = AuditRecord['what'];
export type Actor = AuditRecord['who'];

export function encodeAudit(record: AuditRecord): string {
  return JSON.stringify(record);
}

/** @returns undefined for what is not an audit record */
export function decodeAudit(value: Buffer): AuditRecord | undefined {
  try {
    return auditRecord.parse(JSON.parse(value.toString('utf8')));
  } catch {
    return undefined;
  }
}
