/** The records of a change: the subscription, and the audit record with it. */
import { randomUUID } from 'node:crypto';
import type { ProducedRecord } from '@databridge/kernel/kafka/records';
import { type Actor, type AuditedAction, type AuditRecord, encodeAudit } from '@databridge/schemas/records/audit';
import { encodeIdempotency, type IdempotencyRecord } from '@databridge/schemas/records/idempotency';
import { encodeInvitation, type Invitation } from '@databridge/schemas/records/invitations';
import { encodeOperation, type Operation } from '@databridge/schemas/records/operations';
import {
  AUDIT_TOPIC,
  IDEMPOTENCY_TOPIC,
  INVITATIONS_TOPIC,
  OPERATIONS_TOPIC,
  SUBSCRIPTIONS_TOPIC,
} from '@databridge/schemas/records/topics';
import { mapSecrets } from '@databridge/schemas/subscription/secret-places';
import { encodeSubscription, type Subscription } from '@databridge/schemas/subscription/subscription';
import { fittingAudit } from './fitting-audit.ts';

export interface Change {
  readonly what: AuditedAction;
  /** If omitted, it concerns no single customer. */
  readonly customer?: string;
  /** With sealed secrets. If `after` is omitted, the subscription stays; null: it is deleted. */
  readonly before?: Subscription | undefined;
  readonly after?: Subscription | null;
  /** The input of an operation. It must not contain a secret. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** The progress of an operation. Its request is a {@link Change} of its own. */
export interface OperationNote {
  readonly operation: Operation;
}

/** Records of the service itself that nobody requested: they are not audited. */
export interface OwnRecords {
  readonly records: readonly ProducedRecord[];
}

/** A request with an idempotency key. */
export interface RememberedRequest {
  /** The place where it is kept. */
  readonly place: string;
  readonly record: IdempotencyRecord;
}

/** The record that a request was carried out, which is written with its changes. */
export interface RequestNote {
  readonly remembered: RememberedRequest;
}

/** The new state of an invitation. The change that it made, if any, is a {@link Change} of its own. */
export interface InvitationNote {
  readonly invitation: Invitation;
}

export type Written = Change | OperationNote | InvitationNote | RequestNote | OwnRecords;

/** All of the changes are written, or none. @throws {KafkaPortError} */
export type Commit = (changes: readonly Written[]) => Promise<void>;

const MASK = '[secret]';

/** The records of the changes; those of one change belong into one transaction. */
export function recordsOf(changes: readonly Written[], who: Actor, nowMs: number): ProducedRecord[] {
  return changes.flatMap((change): readonly ProducedRecord[] => {
    if ('records' in change) return change.records;
    if ('operation' in change) {
      const { operation } = change;
      return [{ topic: OPERATIONS_TOPIC, key: operation.id, value: encodeOperation(operation) }];
    }
    if ('remembered' in change) {
      const { place, record } = change.remembered;
      return [{ topic: IDEMPOTENCY_TOPIC, key: place, value: encodeIdempotency(record) }];
    }
    if ('invitation' in change) {
      const { invitation } = change;
      return [{ topic: INVITATIONS_TOPIC, key: invitation.id, value: encodeInvitation(invitation) }];
    }
    const { customer, after } = change;
    const audit = {
      topic: AUDIT_TOPIC,
      key: customer ?? null,
      value: encodeAudit(fittingAudit(auditRecord(change, who, nowMs))),
    };
    if (customer === undefined || after === undefined) return [audit];
    const value = after === null ? null : encodeSubscription(after);
    return [{ topic: SUBSCRIPTIONS_TOPIC, key: customer, value }, audit];
  });
}

function auditRecord({ what, customer, before, after, detail }: Change, who: Actor, at: number): AuditRecord {
  const secrets = changedSecrets(before, after ?? undefined);
  return {
    ...{ id: randomUUID(), at, who, what },
    ...(customer !== undefined && { customer }),
    ...(before !== undefined && after !== undefined && { before: masked(before) }),
    ...(after !== undefined && after !== null && { after: masked(after) }),
    ...(after !== undefined && secrets.length > 0 && { secrets }),
    ...(detail !== undefined && { detail: { ...detail } }),
  };
}

function masked(subscription: Subscription): Record<string, unknown> {
  return { ...mapSecrets(subscription, () => MASK) };
}

function sealedByPlace(subscription: Subscription | undefined): Map<string, string> {
  const places = new Map<string, string>();
  if (subscription !== undefined) mapSecrets(subscription, (sealed, path) => void places.set(path, sealed));
  return places;
}

function changedSecrets(before: Subscription | undefined, after: Subscription | undefined): string[] {
  const [old, now] = [sealedByPlace(before), sealedByPlace(after)];
  return [...new Set([...old.keys(), ...now.keys()])].filter((place) => old.get(place) !== now.get(place)).sort();
}
