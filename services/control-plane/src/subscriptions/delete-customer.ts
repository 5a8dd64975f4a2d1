import { DatabridgeError } from '@databridge/kernel/errors';
import { deadTopic, deliveryGroup, STATUS_TOPIC } from '@databridge/schemas/records/topics';
import type { ControlPlaneContext } from '../context.ts';
import { groupEmpty } from '../operations/group-empty.ts';
import { readLetters } from '../operations/letters.ts';
import { readCustomer } from '../views/customer.ts';
import { lanesOf } from '../views/customer-lanes.ts';
import { lagsOf } from '../views/status.ts';
import { changeState, pauseIfActive } from './change-state.ts';

/** What is to become of what waits: it goes with the customer, or stays for when it is created again. */
export type FateOfWaiting = 'discard' | 'keep';

export interface Waiting {
  /** Records not yet done, in all lanes; at the most, while the customer runs. */
  readonly events: number;
  readonly deadLetters: number;
}

export interface Deletion {
  readonly customer: string;
  /** What waited when the customer was stopped. */
  readonly waiting: Waiting;
  readonly topics: 'removed' | 'kept';
}

/** Somebody has to say what becomes of it. */
export class SomethingWaits extends DatabridgeError {
  readonly waiting: Waiting;

  constructor(customer: string, waiting: Waiting) {
    const { events, deadLetters } = waiting;
    super(
      'DB_CONFLICT',
      `Customer "${customer}" has ${events} events waiting and ${deadLetters} dead letters: say waiting=discard or waiting=keep`,
    );
    this.waiting = waiting;
  }
}

type Context = Pick<
  ControlPlaneContext,
  'kafka' | 'workerStatuses' | 'subscriptions' | 'admin' | 'producer' | 'commit' | 'watermarks'
>;

/**
 *     paused ─▶ its group is empty, so nothing moves ─▶ counted ─▶ the subscription goes ─▶ topics, group, status go
 *
 * Cut off before the subscription goes, the customer stays, paused; after it, its topics stay as with `keep`. What
 * fan-out writes until it hears of it goes with the topics.
 * @param fate left out: only a customer for whom nothing waits is deleted
 * @throws {DatabridgeError} DB_NOT_FOUND; {@link SomethingWaits}; DB_CONFLICT if its worker does not let go
 */
export async function deleteCustomer(
  context: Context,
  customer: string,
  fate: FateOfWaiting | undefined,
  emptyWithinMs = 60_000,
): Promise<Deletion> {
  await readCustomer(context, customer);
  // Before it is stopped, too: most who forgot to say it should not stop anything by asking.
  if (fate === undefined) await refuseIfAnyWaits(context, customer);
  const wasActive = await pauseIfActive(context, customer);
  let waiting: Waiting;
  try {
    await groupEmpty(context.admin, customer, emptyWithinMs);
    waiting = fate === undefined ? await refuseIfAnyWaits(context, customer) : await countWaiting(context, customer);
  } catch (error) {
    if (wasActive) await changeState(context, customer, 'resume');
    throw error;
  }
  const { subscription: before } = await readCustomer(context, customer);
  const detail = { waiting: fate ?? 'nothing', ...waiting };
  await context.commit([{ what: 'delete', customer, before, after: null, detail }]);
  if (fate !== 'keep') await removeTraces(context, customer);
  return { customer, waiting, topics: fate === 'keep' ? 'kept' : 'removed' };
}

async function refuseIfAnyWaits(context: Context, customer: string): Promise<Waiting> {
  const waiting = await countWaiting(context, customer);
  if (waiting.events + waiting.deadLetters > 0) throw new SomethingWaits(customer, waiting);
  return waiting;
}

async function countWaiting({ admin, kafka, watermarks }: Context, customer: string): Promise<Waiting> {
  const topics = await admin.listTopics();
  const lag = (await lagsOf({ admin, watermarks }, [customer], topics)).get(customer);
  const lags = Object.values(lag?.byLane ?? {});
  let deadLetters = 0;
  if (topics.includes(deadTopic(customer))) {
    await readLetters(kafka, deadTopic(customer), (letters) => {
      deadLetters += letters.length;
    });
  }
  return { events: lags.reduce((sum, lag) => sum + lag, 0), deadLetters };
}

/** Its worker, who writes the status else, has let go of it. */
async function removeTraces({ admin, producer }: Context, customer: string): Promise<void> {
  await admin.deleteGroup(deliveryGroup(customer));
  await admin.deleteTopics([...(await lanesOf(admin, customer)).keys(), deadTopic(customer)]);
  await producer.send([{ topic: STATUS_TOPIC, key: customer, value: null }]);
}
