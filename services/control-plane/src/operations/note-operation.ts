import { systemClock } from '@databridge/kernel/time/clock';
import type { Actor, AuditedAction } from '@databridge/schemas/records/audit';
import type { ControlPlaneContext } from '../context.ts';
import { recordsOf } from '../subscriptions/changes.ts';
import { readCustomer } from '../views/customer.ts';

/**
 * Writes a requested operation into the audit log before it begins: every executed operation is in the log. A logged
 * operation may have failed, or been interrupted.
 * @throws {DatabridgeError} DB_NOT_FOUND if there is no such customer: then nothing is written
 */
export async function noteOperation(
  context: Pick<ControlPlaneContext, 'workerStatuses' | 'subscriptions' | 'commit'>,
  what: AuditedAction,
  customer: string,
  detail: Readonly<Record<string, unknown>>,
): Promise<void> {
  await readCustomer(context, customer);
  await context.commit([{ what, customer, detail }]);
}

/**
 * Writes into the audit log that the content of an event is read, before it is shown. This changes nothing, so every
 * control plane does it itself.
 * @throws {KafkaPortError} and then nothing may be shown
 */
export async function notePayloadRead(
  { producer }: Pick<ControlPlaneContext, 'producer'>,
  who: Actor,
  customer: string,
  detail: Readonly<Record<string, unknown>>,
): Promise<void> {
  await producer.send(recordsOf([{ what: 'read-payload', customer, detail }], who, systemClock.nowMs()));
}
