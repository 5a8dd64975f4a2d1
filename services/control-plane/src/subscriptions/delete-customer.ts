import { DatabridgeError } from '@databridge/kernel/errors';
import { CERTIFICATE_REQUESTS_TOPIC, deadTopic, deliveryGroup, STATUS_TOPIC } from '@databridge/schemas/records/topics';
import type { ControlPlaneContext } from '../context.ts';
import { groupEmpty } from '../operations/group-empty.ts';
import { readLetters } from '../operations/letters.ts';
import { type Run, untracked } from '../operations/run.ts';
import { readCustomer } from '../views/customer.ts';
import { lanesOf } from '../views/customer-lanes.ts';
import { lagsOf } from '../views/status.ts';
import { changeState, pauseIfActive } from './change-state.ts';

/**
 * The choice whether waiting events and dead letters are deleted with the customer, or kept until it is created again.
 */
export type FateOfWaiting = 'discard' | 'keep';

export interface Waiting {
  /** Records that are not done, in all lanes; an upper bound while the customer runs. */
  readonly events: number;
  readonly deadLetters: number;
}

export interface Deletion {
  readonly customer: string;
  /** The records that waited when the customer was stopped. */
  readonly waiting: Waiting;
  readonly topics: 'removed' | 'kept';
}

/** The request must say whether to discard or keep waiting records. */
export class SomethingWaits extends DatabridgeError {
  readonly waiting: Waiting;

  constructor(customer: string, waiting: Waiting) {
    const { events, deadLetters } = waiting;
    super(
      'DB_CONFLICT',
      `Customer "${customer}" has ${events} events waiting and ${deadLetters} dead letters: add waiting=discard or waiting=keep to the request`,
    );
    this.waiting = waiting;
  }
}

type Context = Pick<
  ControlPlaneContext,
  'kafka' | 'erasures' | 'workerStatuses' | 'subscriptions' | 'admin' | 'producer' | 'commit' | 'watermarks'
>;

interface DeletionCheckpoint {
  /** The deletion has paused the customer, and resumes it if it is refused. */
  readonly resumes?: boolean;
  /** The subscription is deleted; these records waited at that time. */
  readonly waiting?: Waiting;
}

/**
 *     paused ─▶ its group is empty, so nothing moves ─▶ counted ─▶ the subscription goes ─▶ topics, group, status go
 *
 * After a kill it is resumed from the last step. Records that fan-out writes before it reads the deletion are deleted with
 * the topics.
 * @param fate left out: only a customer for whom nothing waits is deleted
 * @throws {DatabridgeError} DB_NOT_FOUND; {@link SomethingWaits}; DB_CONFLICT if its worker does not let go
 */
export async function deleteCustomer(
  context: Context,
  customer: string,
  fate: FateOfWaiting | undefined,
  { emptyWithinMs = 60_000 }: { readonly emptyWithinMs?: number } = {},
  run: Run = untracked,
): Promise<Deletion> {
  const before = run.checkpoint as DeletionCheckpoint;
  const waiting = before.waiting ?? (await deleteSubscription(context, customer, fate, emptyWithinMs, run));
  // A customer of the same name that was created since has the same topics: they belong to it now.
  const isThereAgain = (await context.subscriptions()).has(customer);
  if (fate !== 'keep' && !isThereAgain) await removeTraces(context, customer);
  return { customer, waiting, topics: fate === 'keep' || isThereAgain ? 'kept' : 'removed' };
}

async function deleteSubscription(
  context: Context,
  customer: string,
  fate: FateOfWaiting | undefined,
  emptyWithinMs: number,
  run: Run,
): Promise<Waiting> {
  const { commit } = context;
  await readCustomer(context, customer);
  const earlier = run.checkpoint as DeletionCheckpoint;
  // Checked before the customer is stopped, too: a request that will be refused should not interrupt deliveries.
  if (fate === undefined && earlier.resumes !== true) await refuseIfAnyWaits(context, customer);
  const stopping = { step: 'waiting for the worker to let go', checkpoint: { resumes: true } };
  const wasActive = await pauseIfActive({ ...context, commit: run.noting(commit, stopping) }, customer);
  const resumes = wasActive || earlier.resumes === true;
  let waiting: Waiting;
  try {
    await groupEmpty(context.admin, customer, emptyWithinMs, run.signal);
    waiting = fate === undefined ? await refuseIfAnyWaits(context, customer) : await countWaiting(context, customer);
  } catch (error) {
    if (resumes && run.isFinal(error)) await changeState(context, customer, 'resume');
    throw error;
  }
  const { subscription: before } = await readCustomer(context, customer);
  const detail = { waiting: fate ?? 'nothing', ...waiting };
  const removing = { step: 'removing topics, group and status', checkpoint: { waiting } };
  await run.noting(commit, removing)([{ what: 'delete', customer, before, after: null, detail }]);
  return waiting;
}

/**
 * The records that a deletion would leave undelivered, at most while the customer runs.
 * @throws {DatabridgeError} DB_NOT_FOUND
 */
export async function planDeletion(context: Context, customer: string): Promise<Waiting> {
  await readCustomer(context, customer);
  return await countWaiting(context, customer);
}

async function refuseIfAnyWaits(context: Context, customer: string): Promise<Waiting> {
  const waiting = await countWaiting(context, customer);
  if (waiting.events + waiting.deadLetters > 0) throw new SomethingWaits(customer, waiting);
  return waiting;
}

async function countWaiting(context: Context, customer: string): Promise<Waiting> {
  const { admin, watermarks } = context;
  const topics = await admin.listTopics();
  const lag = (await lagsOf({ admin, watermarks }, [customer], topics)).get(customer);
  const lags = Object.values(lag?.byLane ?? {});
  let deadLetters = 0;
  if (topics.includes(deadTopic(customer))) {
    await readLetters(context, deadTopic(customer), (letters) => {
      deadLetters += letters.length;
    });
  }
  return { events: lags.reduce((sum, lag) => sum + lag, 0), deadLetters };
}

/** Called after its worker has left the group: the worker is the status record's writer until then. */
async function removeTraces({ admin, producer }: Context, customer: string): Promise<void> {
  await admin.deleteGroup(deliveryGroup(customer));
  await admin.deleteTopics([...(await lanesOf(admin, customer)).keys(), deadTopic(customer)]);
  const kept = [STATUS_TOPIC, CERTIFICATE_REQUESTS_TOPIC];
  await producer.send(kept.map((topic) => ({ topic, key: customer, value: null })));
}
