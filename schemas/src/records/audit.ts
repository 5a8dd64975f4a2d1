/** The audit log: every requested change, without secrets. */
import { z } from 'zod';
import { decodeJson } from '../json-record.ts';

const subscriptionAsSeen = z.record(z.string(), z.unknown());

export const AUDITED_ACTIONS = [
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
] as const;

const auditRecord = z.object({
  /** Unique; a repetition of the record has the same id. */
  id: z.string(),
  /** The time in ms since the epoch, by the clock of the control plane; the record's own time is the broker's. */
  at: z.number(),
  who: z.object({
    /** Distinguishes tokens of the same name. Absent in older records, and for the service itself. */
    id: z.string().optional(),
    name: z.string(),
    role: z.string(),
    customer: z.string().optional(),
  }),
  what: z.enum(AUDITED_ACTIONS),
  /** Absent if it does not concern a single customer. */
  customer: z.string().optional(),
  /** The subscription, with secrets masked. Absent if there was none, or it did not change. */
  before: subscriptionAsSeen.optional(),
  after: subscriptionAsSeen.optional(),
  /** Set when before and after were too large to be kept: the first differences, by JSON pointer, long values cut. */
  changes: z
    .array(z.object({ pointer: z.string(), before: z.string().optional(), after: z.string().optional() }))
    .optional(),
  /** The number of differences beyond those in `changes`. */
  moreChanges: z.int().optional(),
  /** The places of secrets that differ from before, such as `authentication.key`. */
  secrets: z.array(z.string()).optional(),
  /** The input of an operation. */
  detail: z.record(z.string(), z.unknown()).optional(),
});

export type AuditRecord = z.infer<typeof auditRecord>;
export type AuditedAction = AuditRecord['what'];
export type Actor = AuditRecord['who'];

export function encodeAudit(record: AuditRecord): string {
  return JSON.stringify(record);
}

/** @returns undefined if the value is not an audit record */
export function decodeAudit(value: Buffer): AuditRecord | undefined {
  return decodeJson(auditRecord, value);
}
