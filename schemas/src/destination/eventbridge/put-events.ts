/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html */
import { jsonErrorOf, jsonOf, outcomeOfCode } from '../aws/aws-outcome.ts';
import type { AwsAnswer, AwsResult } from '../aws/aws-service.ts';
import type { Message } from '../message.ts';
import type { Outcome } from '../outcome.ts';

export const MAX_ENTRIES = 10;
/** The limit of one entry, and of all entries of a request together: less than 256 KiB. */
export const MAX_BYTES = 262_143;

/** The source by which the rules of a bus recognize our events. AWS reserves names that begin with `aws.`. */
const SOURCE = 'databridge.events';

interface Entry {
  readonly Source: string;
  readonly DetailType: string;
  /** JSON. */
  readonly Detail: string;
}

/**
 * EventBridge assigns ids of its own, so the event id is part of the content: `detail.metadata.eventId`. The event is
 * `detail.data`.
 */
export function entryOf({ eventId, eventType, schemaVersion, attempt, traceparent, body }: Message): Entry {
  const metadata = { eventId, schemaVersion, attempt, ...(traceparent !== undefined && { traceparent }) };
  // The event is JSON already: parsing it only to write it again would cost more than everything else here.
  const Detail = `{"metadata":${JSON.stringify(metadata)},"data":${body}}`;
  return { Source: SOURCE, DetailType: eventType, Detail };
}

/** The size as EventBridge counts it: source, detail type and detail in UTF-8. */
export function sizeOf(message: Message): number {
  const { Source, DetailType, Detail } = entryOf(message);
  return Buffer.byteLength(Source) + Buffer.byteLength(DetailType) + Buffer.byteLength(Detail);
}

interface ResultEntry {
  readonly EventId?: string;
  readonly ErrorCode?: string;
  readonly ErrorMessage?: string;
}

/** Refusals that concern the bus: each half of the batch would get the same. */
const OF_THE_BUS = /(ResourceNotFound|OperationDisabled|PolicyLengthExceeded)/;

/** Reads the answer to `PutEvents`, which has a result for each entry, in the order of the request. */
export function putEventsResult(answer: AwsAnswer, messages: readonly Message[]): AwsResult {
  const json = answer.status < 300 ? jsonOf(answer) : undefined;
  if (json === undefined) {
    const { code, message } = jsonErrorOf(answer);
    const all = outcomeOfCode(code, message, answer.status);
    return { all, mayBeOneMessage: all.kind === 'refused' && !OF_THE_BUS.test(code) };
  }
  const entries = Array.isArray(json['Entries']) ? (json['Entries'] as ResultEntry[]) : [];
  return { each: messages.map((_message, index) => entryOutcome(entries[index])) };
}

/**
 * Errors of one entry that EventBridge caused, or that are temporary:
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
 */
const OF_THE_SERVICE = /^Internal/;

function entryOutcome({ EventId, ErrorCode, ErrorMessage = '' }: ResultEntry = {}): Outcome {
  if (ErrorCode !== undefined)
    return outcomeOfCode(ErrorCode, ErrorMessage, OF_THE_SERVICE.test(ErrorCode) ? 500 : 400);
  if (EventId !== undefined) return { kind: 'delivered', status: 200 };
  return { kind: 'retry', reason: 'EventBridge did not say whether it accepted this event', status: 200 };
}
