import { DatabridgeError, messageOf } from '@databridge/kernel/errors';
import type { ConsumedRecord } from '@databridge/kernel/kafka/records';
import { readTopicIfAny } from '@databridge/kernel/kafka/topic-reader';
import type { EventType } from '@databridge/schemas/event/event-types';
import type { Attempt } from '@databridge/schemas/records/attempts';
import {
  eventIdOf,
  formatSource,
  HEADER,
  headerText,
  parseSource,
  readDeadLetterHeaders,
} from '@databridge/schemas/records/headers';
import type { RecordPlace } from '@databridge/schemas/records/identity';
import { type EffectiveState, effectiveState } from '@databridge/schemas/records/status';
import { deadTopic, FAN_OUT_GROUP, QUARANTINE_TOPIC } from '@databridge/schemas/records/topics';
import type { ControlPlaneContext } from '../context.ts';
import { readLetters } from '../operations/letters.ts';
import type { AttemptView } from '../views/attempts/attempt-view.ts';
import { doneBy } from '../views/gather-evidence.ts';
import type { EventRenderer } from '../views/render-event.ts';
import { type MatchVerdict, matchVerdicts } from './matching.ts';
import { type WaitingRecord, waitingRecords } from './waiting-records.ts';

export interface EventExplanation {
  readonly eventId: string;
  readonly eventType: string;
  /** `<topic>/<partition>/<offset>` of the intake. */
  readonly source: string;
  /** When the broker appended it, ms since the epoch; absent if the intake does not have the record any more. */
  readonly atMs?: number;
  readonly fanOut: {
    readonly state: 'routed' | 'waiting' | 'quarantined';
    /** Why it is quarantined, or what it waits for. */
    readonly detail?: string;
  };
  /** Verdicts of today's subscriptions, which may have changed since it was routed. */
  readonly matching: readonly MatchVerdict[];
  /** Why `matching` is empty, if the event cannot be read. */
  readonly unreadable?: string;
  readonly deliveries: readonly Delivery[];
  /** True if more customers match than are examined. */
  readonly isPartial: boolean;
}

/** The fate of the event for one customer. */
export interface Delivery {
  readonly customer: string;
  readonly state: EffectiveState;
  readonly fate: 'delivered' | 'waiting' | 'dead' | 'skipped' | 'unknown';
  /** The lanes where it waits. */
  readonly lane?: string;
  readonly offset?: number;
  readonly dueAtMs?: number;
  readonly deadBecause?: string;
  /** The attempts, the newest last. */
  readonly attempts: readonly Attempt[];
}

export interface EventContext
  extends Pick<ControlPlaneContext, 'admin' | 'kafka' | 'erasures' | 'subscriptions' | 'workerStatuses'> {
  readonly eventTypes: readonly EventType[];
  readonly events: Pick<EventRenderer, 'open'>;
}

const MAX_CUSTOMERS = 50;
const MAX_ATTEMPTS = 200;
const MOST = { main: 20_000, retry: 20_000 };

/**
 * Follows one event: intake → which subscriptions match → lanes → attempts → what comes next.
 * @param id its source, or its event id
 * @param sinceMs how far back the intake is searched for an event id that was never attempted
 * @throws {DatabridgeError} DB_NOT_FOUND
 */
export async function explainEvent(
  context: EventContext,
  attempts: Pick<AttemptView, 'find'>,
  id: string,
  sinceMs: number,
): Promise<EventExplanation> {
  const [subscriptions, statuses] = await Promise.all([context.subscriptions(), context.workerStatuses()]);
  const { place, type, record } = await locate(context, attempts, [...subscriptions.keys()], id, sinceMs);
  const source = formatSource(place.topic, place.partition, place.offset);
  const eventId = record === undefined ? id : eventIdOf(record, type.name);
  if (context.erasures.events.has({ eventId, source })) throw noSuchEvent(id, sinceMs);
  const fanOut = await fanOutState(context, place, source);
  const read = await verdictsOn(context, [...subscriptions.values()], type, record);
  const known = [...subscriptions.keys()].map((customer) => ({
    customer,
    attempts: attemptsOf(attempts, customer, eventId, source),
  }));
  const concerned = known.filter(
    ({ customer, attempts: made }) =>
      made.length > 0 || read.matching.some((one) => one.matches && one.customer === customer),
  );
  const chosen = concerned.slice(0, MAX_CUSTOMERS);
  const names = chosen.map(({ customer }) => customer);
  const isOfIt = ({ facts }: WaitingRecord) => facts.source === source;
  const waiting = fanOut.state === 'routed' ? (await waitingRecords(context, names, MOST)).records.filter(isOfIt) : [];
  const deliveries: Delivery[] = [];
  for (const { customer, attempts: made } of chosen) {
    const subscription = subscriptions.get(customer);
    if (subscription === undefined) continue;
    const state = effectiveState(subscription, statuses.get(customer));
    const waits = waiting.filter((one) => one.customer === customer).at(-1);
    const deadBecause = waits === undefined ? await deadReason(context, customer, source) : undefined;
    const waitsAt = waits && { lane: waits.lane, offset: waits.offset, dueAtMs: waits.dueAtMs };
    const fate = fateOf(made, waits, deadBecause);
    deliveries.push({
      customer,
      state,
      fate,
      ...waitsAt,
      ...(deadBecause !== undefined && { deadBecause }),
      attempts: made,
    });
  }
  return {
    ...{ eventId, eventType: type.name, source, fanOut, ...read, deliveries },
    ...(record !== undefined && { atMs: record.timestampMs }),
    isPartial: concerned.length > chosen.length,
  };
}

interface Located {
  readonly place: RecordPlace;
  readonly type: EventType;
  /** undefined if the intake does not have the record any more. */
  readonly record: ConsumedRecord | undefined;
}

async function locate(
  { kafka, eventTypes }: EventContext,
  attempts: Pick<AttemptView, 'find'>,
  customers: readonly string[],
  id: string,
  sinceMs: number,
): Promise<Located> {
  const attempted = customers.flatMap((customer) => attempts.find({ customer, eventId: id, limit: 1 }))[0];
  const place = parseSource(id) ?? parseSource(attempted?.attempt.source ?? '');
  if (place !== undefined) {
    const type = eventTypes.find(({ topic }) => topic === place.topic);
    if (type === undefined) {
      const topics = eventTypes.map(({ topic }) => topic).join(', ');
      throw new DatabridgeError('DB_NOT_FOUND', `"${place.topic}" is not an intake topic; those are: ${topics}`);
    }
    let record: ConsumedRecord | undefined;
    await readTopicIfAny(kafka, place.topic, {
      within: (_, partition) =>
        partition === place.partition ? { from: place.offset, to: place.offset + 1 } : { to: 0 },
      onBatch({ records }) {
        record ??= records[0];
      },
    });
    if (record === undefined && attempted === undefined) {
      throw new DatabridgeError('DB_NOT_FOUND', `The intake has no record ${id}: it expired, or was never written`);
    }
    return { place, type, record };
  }
  for (const type of eventTypes) {
    let found: Located | undefined;
    await readTopicIfAny(kafka, type.topic, {
      fromMs: sinceMs,
      onBatch({ partition, records }) {
        const record = records.find((one) => eventIdOf(one, type.name) === id);
        if (record) found ??= { place: { topic: type.topic, partition, offset: record.offset }, type, record };
      },
    });
    if (found !== undefined) return found;
  }
  throw noSuchEvent(id, sinceMs);
}

/** The answer for an erased event is the same as for one that never existed. */
function noSuchEvent(id: string, sinceMs: number): DatabridgeError {
  return new DatabridgeError(
    'DB_NOT_FOUND',
    `No attempt of the last days, and no intake record since ${new Date(sinceMs).toISOString()}, has the event id "${id}"; look further back with "from", or give <topic>/<partition>/<offset>`,
  );
}

async function fanOutState(
  context: EventContext,
  { topic, partition, offset }: RecordPlace,
  source: string,
): Promise<EventExplanation['fanOut']> {
  const commits = await context.admin.committedOffsets(FAN_OUT_GROUP);
  if (!doneBy(commits)(topic, partition, offset)) {
    const committed = commits.find((one) => one.topic === topic && one.partition === partition)?.offset ?? 0;
    return {
      state: 'waiting',
      detail: `fan-out has processed the partition up to offset ${committed}; ${offset - committed} records are before this one`,
    };
  }
  let reason: string | undefined;
  await readLetters(context, QUARANTINE_TOPIC, (letters) => {
    const letter = letters.find(({ key }) => key === source);
    if (letter) reason = headerText(letter.record.headers, HEADER.quarantineReason);
  });
  return reason === undefined ? { state: 'routed' } : { state: 'quarantined', detail: reason };
}

async function verdictsOn(
  { events }: EventContext,
  subscriptions: Parameters<typeof matchVerdicts>[0],
  type: EventType,
  record: ConsumedRecord | undefined,
): Promise<Pick<EventExplanation, 'matching' | 'unreadable'>> {
  if (record?.value == null) {
    return {
      matching: [],
      unreadable: record === undefined ? 'the intake no longer contains the record' : 'it has no value',
    };
  }
  const opened = await events.open(type.name, record.value);
  if ('unreadable' in opened) return { matching: [], unreadable: opened.unreadable };
  try {
    return { matching: matchVerdicts(subscriptions, type, opened.reader, record.value) };
  } catch (error) {
    return { matching: [], unreadable: messageOf(error) };
  }
}

/** The oldest first. */
function attemptsOf(view: Pick<AttemptView, 'find'>, customer: string, eventId: string, source: string): Attempt[] {
  const found = view.find({ customer, eventId, limit: MAX_ATTEMPTS });
  return found
    .map(({ attempt }) => attempt)
    .filter((attempt) => attempt.source === undefined || attempt.source === source)
    .reverse();
}

async function deadReason(context: EventContext, customer: string, source: string): Promise<string | undefined> {
  let reason: string | undefined;
  await readLetters(context, deadTopic(customer), (letters) => {
    for (const { record } of letters) {
      const letter = readDeadLetterHeaders(record.headers);
      if (letter.source === source) reason = letter.reason;
    }
  });
  return reason;
}

function fateOf(
  attempts: readonly Attempt[],
  waits: WaitingRecord | undefined,
  deadBecause: string | undefined,
): Delivery['fate'] {
  if (waits !== undefined) return 'waiting';
  if (deadBecause !== undefined) return 'dead';
  const last = attempts.at(-1)?.outcome;
  if (last === 'delivered' || last === 'skipped') return last;
  return 'unknown';
}
