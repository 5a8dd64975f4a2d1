import { readDeadLetterHeaders } from '@databridge/schemas/records/headers';
import { DEAD_LETTER_REASONS } from '@databridge/schemas/records/reasons';
import { deadTopic } from '@databridge/schemas/records/topics';
import type { ControlPlaneContext } from '../context.ts';
import { readCustomer } from '../views/customer.ts';
import {
  chosenBy,
  countLetters,
  type Letter,
  type LetterCount,
  type LetterFilter,
  type TakenOut,
  takeOutLetters,
} from './letters.ts';
import { replayOf } from './replay.ts';
import { type Run, untracked } from './run.ts';

type Context = Pick<ControlPlaneContext, 'kafka' | 'erasures' | 'workerStatuses' | 'subscriptions' | 'producer'>;

/**
 * The letters that a redrive or a discard would take out.
 * @throws {DatabridgeError} DB_NOT_FOUND for an unknown customer or letter; DB_INPUT_INVALID for an unknown reason
 */
export async function countDeadLetters(
  context: Pick<Context, 'kafka' | 'erasures' | 'workerStatuses' | 'subscriptions'>,
  customer: string,
  filter: LetterFilter,
): Promise<LetterCount> {
  await readCustomer(context, customer);
  return await countLetters(context, deadTopic(customer), filter, deadLetterReason, DEAD_LETTER_REASONS);
}

/**
 * Delivers a customer's dead letters again: copies into the main lane, tombstones in place of the letters. The replay
 * id is the letter's own place, so that a redrive that was interrupted and is run again makes the same copies.
 * @throws {DatabridgeError} DB_NOT_FOUND
 */
export async function redriveDeadLetters(
  context: Context,
  customer: string,
  filter: LetterFilter = {},
  run: Run = untracked,
): Promise<TakenOut> {
  await readCustomer(context, customer);
  const copyOf = (letter: Letter) => {
    // We did not write a record without an event id, and its destination could not recognize a repeat.
    if (readDeadLetterHeaders(letter.record.headers).eventId === '') return undefined;
    return replayOf(customer, letter.record, letter, `redrive-${letter.partition}-${letter.record.offset}`);
  };
  return await takeOutLetters(context, deadTopic(customer), chosenBy(filter, deadLetterReason), copyOf, run);
}

/** Discards dead letters. @throws {DatabridgeError} DB_NOT_FOUND */
export async function discardDeadLetters(
  context: Context,
  customer: string,
  filter: LetterFilter = {},
  run: Run = untracked,
): Promise<TakenOut> {
  await readCustomer(context, customer);
  return await takeOutLetters(context, deadTopic(customer), chosenBy(filter, deadLetterReason), () => 'nowhere', run);
}

const deadLetterReason = ({ record }: Letter) => readDeadLetterHeaders(record.headers).reason;
