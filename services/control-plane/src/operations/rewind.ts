import { randomUUID } from 'node:crypto';
import { DatabridgeError } from '@databridge/kernel/errors';
import type { CommittedOffset, ConsumedBatch } from '@databridge/kernel/kafka/records';
import { readTopics } from '@databridge/kernel/kafka/topic-reader';
import { decodeOffsetSet } from '@databridge/kernel/offsets/offset-set';
import { systemClock } from '@databridge/kernel/time/clock';
import { type Attempt, attemptsRecord } from '@databridge/schemas/records/attempts';
import { readDeliveryHeaders } from '@databridge/schemas/records/headers';
import { eventKeyOf, identified } from '@databridge/schemas/records/identity';
import { deliveryGroup, deliveryTopic } from '@databridge/schemas/records/topics';
import type { ControlPlaneContext } from '../context.ts';
import { changeState, pauseIfActive } from '../subscriptions/change-state.ts';
import { readCustomer } from '../views/customer.ts';
import { lanesOf } from '../views/customer-lanes.ts';
import { doneBy } from '../views/gather-evidence.ts';
import { groupEmpty } from './group-empty.ts';
import { type Run, untracked } from './run.ts';

export type RewindTarget =
  /** The first record that fan-out appended at that time or later (ms since the epoch). */
  | { readonly kind: 'time'; readonly atMs: number }
  /** An offset of the customer's main topic, which then must have one partition. */
  | { readonly kind: 'offset'; readonly offset: number }
  | { readonly kind: 'earliest' };

/** The effects of a rewind, planned or done. */
export interface Rewind {
  readonly customer: string;
  readonly partitions: readonly { readonly partition: number; readonly from: number; readonly to: number }[];
  /** The number of finished records that are delivered again. */
  readonly again: number;
  /** When fan-out appended the first and the last of those, ms since the epoch. */
  readonly firstAtMs?: number;
  readonly lastAtMs?: number;
  /** Upper bound of the records after the target that retention has deleted. */
  readonly deleted: number;
  /** Of those delivered again: the events that also wait in a retry lane, and so are sent once more from there. */
  readonly waitingInRetry: number;
  /** The number of records that would never be delivered, because the target is ahead of the committed offset. */
  readonly skipped: number;
}

type Context = Pick<
  ControlPlaneContext,
  'kafka' | 'workerStatuses' | 'subscriptions' | 'admin' | 'producer' | 'commit'
>;

interface Place {
  readonly partition: number;
  readonly low: number;
  /** The lowest offset that is not done. */
  readonly from: number;
  /** No offset above it is done. */
  readonly doneEnd: number;
  readonly to: number;
}

/**
 * Plans a rewind without changing anything.
 * @throws {DatabridgeError} DB_NOT_FOUND; DB_INPUT_INVALID if there is no such offset
 */
export async function planRewind(
  context: Pick<Context, 'kafka' | 'workerStatuses' | 'subscriptions' | 'admin'>,
  customer: string,
  target: RewindTarget,
): Promise<Rewind> {
  await readCustomer(context, customer);
  return (await survey(context, customer, target)).rewind;
}

export interface RewindOptions {
  /** Without it, a target ahead of the committed offset is refused. Skipped records are written to the attempt log. */
  readonly maySkip?: boolean;
  /** The time to wait until the customer's worker has left its group. */
  readonly emptyWithinMs?: number;
}

/**
 * Sets the main lane of a customer back: pause ─▶ its group is empty ─▶ offsets set, the old metadata gone with
 * them ─▶ resume. A customer that is paused or disabled already stays so.
 *
 * It can be resumed after a kill: the pause is noted with who paused, the plan before the offsets are set, and the end in
 * one transaction with the resuming.
 * @throws {DatabridgeError} as {@link planRewind}; DB_CONFLICT if it would skip events, or the group does not get empty
 */
export async function rewind(
  context: Context,
  customer: string,
  target: RewindTarget,
  { maySkip = false, emptyWithinMs = 60_000 }: RewindOptions = {},
  run: Run = untracked,
): Promise<Rewind> {
  const { admin, commit, producer } = context;
  const before = run.checkpoint as RewindCheckpoint;
  if (before.resumes === undefined) refuseSkips(await planRewind(context, customer, target), maySkip);
  const stopping = { step: 'waiting for the worker to let go', checkpoint: { ...before, resumes: true } };
  const wasActive = await pauseIfActive({ ...context, commit: run.noting(commit, stopping) }, customer);
  const resumes = wasActive || before.resumes === true;
  let planned = before.plan;
  try {
    await groupEmpty(admin, customer, emptyWithinMs, run.signal);
    if (planned === undefined) {
      // The group is empty, so the committed offsets do not change any more.
      const surveyed = await survey(context, customer, target);
      planned = surveyed.rewind;
      refuseSkips(planned, maySkip);
      await producer.send(skipRecords(customer, surveyed.passedOver));
      await run.note({ step: 'setting the offsets', checkpoint: { resumes, plan: planned } });
    }
    await admin.setOffsets(deliveryGroup(customer), offsetsOf(planned));
  } catch (error) {
    if (resumes && run.isFinal(error)) await changeState(context, customer, 'resume');
    throw error;
  }
  if (resumes) await changeState({ ...context, commit: run.finishing(commit, planned) }, customer, 'resume');
  return planned;
}

interface RewindCheckpoint {
  /** The rewind has paused the customer, and resumes it at its end. */
  readonly resumes?: boolean;
  readonly plan?: Rewind;
}

/** @throws {DatabridgeError} DB_CONFLICT */
export function refuseSkips({ customer, skipped }: Rewind, maySkip: boolean): void {
  if (skipped === 0 || maySkip) return;
  throw new DatabridgeError(
    'DB_CONFLICT',
    `The target is after the current offset: ${skipped} records of customer "${customer}" would never be delivered; set maySkip (--skip) to do so`,
  );
}

const offsetsOf = ({ customer, partitions }: Rewind): CommittedOffset[] =>
  partitions.map(({ partition, to }) => ({ topic: deliveryTopic(customer), partition, offset: to, metadata: '' }));

interface Survey {
  readonly rewind: Rewind;
  readonly passedOver: readonly Attempt[];
}

async function survey(
  { admin, kafka }: Pick<Context, 'kafka' | 'admin'>,
  customer: string,
  target: RewindTarget,
): Promise<Survey> {
  const topic = deliveryTopic(customer);
  const commits = await admin.committedOffsets(deliveryGroup(customer));
  const isDone = doneBy(commits);
  const places = await placesOf(admin, topic, commits, target);

  const again = new Set<string>();
  const passedOver: Attempt[] = [];
  let againRecords = 0;
  let firstAtMs = Number.POSITIVE_INFINITY;
  let lastAtMs = 0;
  const take = ({ partition, records }: ConsumedBatch) => {
    const to = places.find((place) => place.partition === partition)?.to ?? 0;
    for (const { offset, timestampMs, headers, value } of records) {
      const done = isDone(topic, partition, offset);
      const facts = identified(readDeliveryHeaders(headers), { topic, partition, offset });
      const { eventId, replayId, source, testWithinMs } = facts;
      if (testWithinMs !== undefined) continue;
      if (offset < to && !done && value !== null) {
        const what = { eventId, ...(replayId !== undefined && { replayId }), ...(source !== undefined && { source }) };
        passedOver.push({
          ...what,
          attempt: 0,
          at: systemClock.nowMs(),
          durationMs: 0,
          outcome: 'skipped',
          lane: 'main',
        });
      }
      if (offset < to || !done || value === null) continue;
      againRecords++;
      again.add(eventKeyOf(facts));
      firstAtMs = Math.min(firstAtMs, timestampMs);
      lastAtMs = Math.max(lastAtMs, timestampMs);
    }
  };
  // Records that are done beyond the committed offset are delivered again too: the metadata that lists them is reset.
  const spans = new Map(
    places.map(({ partition, from, doneEnd, to }) => [
      partition,
      { from: Math.min(from, to), to: Math.max(doneEnd, to) },
    ]),
  );
  await readTopics(kafka, [topic], { within: (_topic, partition) => spans.get(partition), onBatch: take });

  const rewound = {
    customer,
    partitions: places.map(({ partition, from, to }) => ({ partition, from, to })),
    again: againRecords,
    ...(againRecords > 0 && { firstAtMs, lastAtMs }),
    deleted: places.reduce((sum, place) => sum + deletedBy(place, target), 0),
    waitingInRetry: await countInRetry({ admin, kafka }, customer, again, isDone),
    skipped: passedOver.length,
  };
  return { rewind: rewound, passedOver };
}

async function placesOf(
  admin: Context['admin'],
  topic: string,
  commits: readonly CommittedOffset[],
  target: RewindTarget,
): Promise<Place[]> {
  const watermarks = await admin.watermarks(topic);
  const atTime = target.kind === 'time' ? await admin.offsetsAtTime(topic, target.atMs) : [];
  if (target.kind === 'offset' && watermarks.length > 1) {
    throw new DatabridgeError('DB_INPUT_INVALID', `${topic} has ${watermarks.length} partitions: rewind it to a time`);
  }
  return watermarks.map(({ partition, low, high }) => {
    const committed = commits.find((one) => one.topic === topic && one.partition === partition);
    const from = Math.max(low, committed?.offset ?? low);
    const beyond = committed ? decodeOffsetSet(committed.offset, committed.metadata).at(-1)?.to : undefined;
    const doneEnd = Math.max(from, beyond ?? 0);
    if (target.kind === 'earliest') return { partition, low, from, doneEnd, to: low };
    if (target.kind === 'time') {
      const to = atTime.find((one) => one.partition === partition)?.offset ?? high;
      return { partition, low, from, doneEnd, to };
    }
    if (target.offset > high) {
      throw new DatabridgeError('DB_INPUT_INVALID', `${topic} ends at offset ${high}, before ${target.offset}`);
    }
    return { partition, low, from, doneEnd, to: Math.max(low, target.offset) };
  });
}

function deletedBy({ low, to }: Place, target: RewindTarget): number {
  switch (target.kind) {
    case 'offset':
      return Math.max(0, low - target.offset);
    case 'earliest':
      return low;
    case 'time':
      // The first remaining record is the first of that time: deleted ones may have been of that time, too.
      return to === low ? low : 0;
  }
}

async function countInRetry(
  { admin, kafka }: Pick<Context, 'kafka' | 'admin'>,
  customer: string,
  eventKeys: ReadonlySet<string>,
  isDone: ReturnType<typeof doneBy>,
): Promise<number> {
  const retryLanes = [...(await lanesOf(admin, customer)).keys()].slice(1);
  if (retryLanes.length === 0 || eventKeys.size === 0) return 0;
  const waiting = new Set<string>();
  await readTopics(kafka, retryLanes, {
    onBatch({ topic, partition, records }) {
      for (const { offset, headers } of records) {
        const eventKey = eventKeyOf(readDeliveryHeaders(headers));
        if (eventKeys.has(eventKey) && !isDone(topic, partition, offset)) waiting.add(eventKey);
      }
    },
  });
  return waiting.size;
}

const SKIPS_A_RECORD = 300;

/** Records that an operator skipped are written to the attempt log, so that reconciliation accounts for them. */
function skipRecords(customer: string, skipped: readonly Attempt[]) {
  const records = [];
  for (let from = 0; from < skipped.length; from += SKIPS_A_RECORD) {
    const attempts = skipped.slice(from, from + SKIPS_A_RECORD);
    records.push(attemptsRecord({ customer, worker: 'control-plane', attempts }, randomUUID()));
  }
  return records;
}
