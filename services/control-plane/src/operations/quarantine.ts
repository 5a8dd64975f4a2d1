/** The quarantine: intake records that fan-out could not read. */
import { HEADER, headerText, parseSource, traceparentOf } from '@databridge/schemas/records/headers';
import { QUARANTINE_REASONS } from '@databridge/schemas/records/reasons';
import { QUARANTINE_TOPIC } from '@databridge/schemas/records/topics';
import type { ControlPlaneContext } from '../context.ts';
import {
  chosenBy,
  countLetters,
  type Letter,
  type LetterCount,
  type LetterFilter,
  type TakenOut,
  takeOutLetters,
} from './letters.ts';
import { type Run, untracked } from './run.ts';

type Context = Pick<ControlPlaneContext, 'kafka' | 'erasures' | 'producer'> &
  Partial<Pick<ControlPlaneContext, 'events'>>;

export interface QuarantinedRecord {
  /** Its source: `<topic>/<partition>/<offset>`. */
  readonly id: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly reason: string;
  readonly detail?: string;
  /** When fan-out wrote the record, ms since the epoch. */
  readonly at: number;
  readonly bytes: number;
}

export function quarantinedRecord({ key, record }: Letter): QuarantinedRecord {
  const { headers, timestampMs, value } = record;
  const detail = headerText(headers, HEADER.quarantineDetail);
  return {
    id: key,
    eventId: headerText(headers, HEADER.eventId) ?? '',
    eventType: headerText(headers, HEADER.eventType) ?? '',
    reason: quarantineReason({ record }),
    ...(detail !== undefined && { detail }),
    at: timestampMs,
    bytes: value?.length ?? 0,
  };
}

/** The records that a redrive or a discard would take out. @throws {DatabridgeError} DB_NOT_FOUND; DB_INPUT_INVALID */
export async function countQuarantine(
  context: Pick<ControlPlaneContext, 'kafka' | 'erasures'>,
  filter: LetterFilter,
): Promise<LetterCount> {
  return await countLetters(context, QUARANTINE_TOPIC, filter, quarantineReason, QUARANTINE_REASONS);
}

export interface QuarantineFilter extends LetterFilter {
  /** Also records that would be quarantined again. */
  readonly isForced?: boolean;
}

/**
 * Writes quarantined records back to the intake topics that they came from, under the same event ids; fan-out then
 * routes them like new ones. Records that have no value or no known origin stay, and so do those that are still
 * unreadable: they would be quarantined again at once.
 */
export async function redriveQuarantine(
  context: Context,
  { isForced = false, ...filter }: QuarantineFilter = {},
  run: Run = untracked,
): Promise<TakenOut & { readonly stillUnreadable: number }> {
  let stillUnreadable = 0;
  const copyOf = async ({ record }: Letter) => {
    const { headers, value } = record;
    const origin = parseSource(headerText(headers, HEADER.source) ?? '');
    const eventId = headerText(headers, HEADER.eventId);
    if (origin === undefined || eventId === undefined || value === null || value.length === 0) return undefined;
    if (!isForced && !(await isReadable(context, record))) {
      stillUnreadable++;
      return undefined;
    }
    const traceparent = traceparentOf(headers);
    return {
      topic: origin.topic,
      partition: origin.partition,
      key: headerBytes(headers[HEADER.intakeKey]),
      value,
      headers: { [HEADER.eventId]: eventId, ...(traceparent !== undefined && { traceparent }) },
    };
  };
  const done = await takeOutLetters(context, QUARANTINE_TOPIC, chosenBy(filter, quarantineReason), copyOf, run);
  return { ...done, stillUnreadable };
}

/** Discards quarantined records: they are never delivered. */
export async function discardQuarantine(
  context: Context,
  filter: LetterFilter = {},
  run: Run = untracked,
): Promise<TakenOut> {
  return await takeOutLetters(context, QUARANTINE_TOPIC, chosenBy(filter, quarantineReason), () => 'nowhere', run);
}

/** `internal` was a bug in Databridge: a newer version may have fixed it, so the record is tried again. */
async function isReadable({ events }: Context, { headers, value }: Letter['record']): Promise<boolean> {
  if (headerText(headers, HEADER.quarantineReason) === 'internal' || events === undefined) return true;
  const rendered = await events.render(headerText(headers, HEADER.eventType) ?? '', value);
  return !('unreadable' in rendered);
}

const quarantineReason = ({ record }: Pick<Letter, 'record'>) =>
  headerText(record.headers, HEADER.quarantineReason) ?? 'unknown';

/** Keys are bytes, and need not be text. */
function headerBytes(value: Buffer | string | (Buffer | string)[] | undefined): Buffer | string | null {
  return (Array.isArray(value) ? value.at(-1) : value) ?? null;
}
