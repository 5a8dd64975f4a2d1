import { systemClock } from '@databridge/kernel/time/clock';
import type { Actor, AuditedAction } from '@databridge/schemas/records/audit';
import type { ControlPlaneContext } from '../context.ts';
import { recordsOf } from '../subscriptions/changes.ts';
import { readCustomer } from '../views/customer.ts';

/**
 * Writes into the audit log that somebody asked for an operation, before it begins: nothing is done that the log does
 * not name. What is named may have failed, or been cut off.
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
 * Writes into the audit log that somebody reads the content of an event, before it is shown. It changes nothing, so every
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
