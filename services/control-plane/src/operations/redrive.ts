import {
  HEADER,
  headerText,
  parseSource,
  readDeadLetterHeaders,
  traceparentOf,
} from '@databridge/schemas/records/headers';
import { deadTopic, QUARANTINE_TOPIC } from '@databridge/schemas/records/topics';
import type { ControlPlaneContext } from '../context.ts';
import { readCustomer } from '../views/customer.ts';
import { type Letter, type TakenOut, takeOutLetters } from './letters.ts';
import { replayOf } from './replay.ts';

export interface RedriveFilter {
  /** Only letters with one of these reasons; left out: all. */
  readonly reasons?: readonly string[];
  /** Only these, by key; left out: all. */
  readonly keys?: readonly string[];
}

type Context = Pick<ControlPlaneContext, 'kafka' | 'workerStatuses' | 'subscriptions' | 'producer'>;

/**
 * Delivers a customer's dead letters again: copies into the main lane, tombstones among the letters. The replay id is
 * the letter's own place, so that a redrive which was cut off and is run again makes the same copies, not others.
 * @throws {DatabridgeError} DB_NOT_FOUND
 */
export async function redriveDeadLetters(
  context: Context,
  customer: string,
  filter: RedriveFilter = {},
): Promise<TakenOut> {
  await readCustomer(context, customer);
  return await takeOutLetters(context, deadTopic(customer), chosenBy(filter, deadLetterReason), (letter) => {
    // Without an event id it was not written by us, and its destination could not tell a repeat.
    if (readDeadLetterHeaders(letter.record.headers).eventId === '') return undefined;
    return replayOf(customer, letter.record, letter, `redrive-${letter.partition}-${letter.record.offset}`);
  });
}

/** Gives dead letters up for good. @throws {DatabridgeError} DB_NOT_FOUND */
export async function discardDeadLetters(
  context: Context,
  customer: string,
  filter: RedriveFilter = {},
): Promise<TakenOut> {
  await readCustomer(context, customer);
  return await takeOutLetters(context, deadTopic(customer), chosenBy(filter, deadLetterReason), () => 'nowhere');
}

/**
 * Puts quarantined records back to the intake topics that they came from, under the same event ids; fan-out then
 * routes them as if they had just come. Those without a value, or a known origin, stay.
 */
export async function redriveQuarantine(
  context: Pick<Context, 'kafka' | 'producer'>,
  filter: RedriveFilter = {},
): Promise<TakenOut> {
  return await takeOutLetters(context, QUARANTINE_TOPIC, chosenBy(filter, quarantineReason), ({ record }) => {
    const { headers, value } = record;
    const origin = parseSource(headerText(headers, HEADER.source) ?? '');
    const eventId = headerText(headers, HEADER.eventId);
    if (origin === undefined || eventId === undefined || value === null || value.length === 0) return undefined;
    const traceparent = traceparentOf(headers);
    return {
      topic: origin.topic,
      partition: origin.partition,
      key: headerBytes(headers[HEADER.intakeKey]),
      value,
      headers: { [HEADER.eventId]: eventId, ...(traceparent !== undefined && { traceparent }) },
    };
  });
}

const deadLetterReason = ({ record }: Letter) => readDeadLetterHeaders(record.headers).reason;
const quarantineReason = ({ record }: Letter) => headerText(record.headers, HEADER.quarantineReason) ?? 'unknown';

function chosenBy({ reasons, keys }: RedriveFilter, reasonOf: (letter: Letter) => string) {
  return (letter: Letter) =>
    (reasons === undefined || reasons.includes(reasonOf(letter))) && (keys === undefined || keys.includes(letter.key));
}

/** Keys are bytes, and need not be text. */
function headerBytes(value: Buffer | string | (Buffer | string)[] | undefined): Buffer | string | null {
  return (Array.isArray(value) ? value.at(-1) : value) ?? null;
}
