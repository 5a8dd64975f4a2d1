import type { Ending } from '@databridge/kernel/ending';
import { messageOf } from '@databridge/kernel/errors';
import type { ProducedRecord } from '@databridge/kernel/kafka/records';
import type { Logger } from '@databridge/kernel/log';
import type { Secret } from '@databridge/kernel/secrets/secret';
import { type Clock, instantOf } from '@databridge/kernel/time/clock';
import type { Attempt } from '@databridge/schemas/records/attempts';
import type { DeliveryHeaders } from '@databridge/schemas/records/headers';
import type { DeadLetterReason } from '@databridge/schemas/records/reasons';
import type { HoldReason } from '@databridge/schemas/records/status';
import type { RetryPlan } from '@databridge/schemas/retries/retry-plan';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { Message, Sent } from '../destination/destination.ts';
import type { Destinations } from '../destination/destinations.ts';
import type { Gate } from '../gate/gate.ts';
import type { BufferedRecord } from '../lanes/buffered-records.ts';
import type { LaneOwnership } from '../lanes/lane-ownership.ts';
import type { LaneSet } from '../lanes/lane-set.ts';
import { failureClassOf } from '../observe/failure-class.ts';
import type { Punctuality } from '../observe/punctuality.ts';
import type { AttemptTrace, AttemptTraces } from './attempt-traces.ts';
import type { EventMessages } from './event-messages.ts';
import { attemptReport, type Begun, beginAttempt, deadLetter, type Fate, fateOf } from './fate.ts';
import type { Outcome } from './outcome.ts';
import { untilConnectionIs } from './test-event.ts';
import type { DisableReason } from './verdict.ts';

/** The parts of a customer that a delivery passes through. */
export interface DeliveriesOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly plan: RetryPlan;
  /** The current destination. */
  readonly subscription: () => Subscription<Secret>;
  /** The fingerprint of its connection: `connectionOf`. */
  readonly connection: () => string;
  readonly messages: Pick<EventMessages, 'render'>;
  readonly destinations: Pick<Destinations, 'send'>;
  readonly ownership: Pick<LaneOwnership, 'isOurs' | 'mayBeSent'> & {
    readonly lanes: Pick<LaneSet, 'done' | 'putBack'> | undefined;
  };
  readonly gate: Pick<Gate, 'recordOutcome' | 'heldFor' | 'lastSuccessAtMs'>;
  /** Resolves when Kafka has the record, however long that takes; false if this worker lost the right to write it. */
  readonly nextTopics: { write(next: ProducedRecord, of: BufferedRecord): Promise<boolean> };
  /**
   * Returns whether the event was erased: then it is neither sent nor written anywhere again. If omitted, nothing was
   * ever erased.
   */
  readonly isErased?: (facts: DeliveryHeaders) => boolean;
  /** If omitted, nothing is traced. */
  readonly traces?: Pick<AttemptTraces, 'begin'>;
  readonly punctuality: Pick<Punctuality, 'recordAcceptance'>;
  /** The number of requests in flight. */
  readonly inFlight: () => number;
  readonly stopping: Ending;
  readonly onFailed: (failure: NonNullable<ReturnType<typeof failureClassOf>>) => void;
  readonly onAttempt: (attempt: Attempt) => void;
  readonly onDeadLetter: (because: DeadLetterReason) => void;
  /** Called when an offset is done: it may be committed. */
  readonly onDone: () => void;
  /** Called when a delivery begins to wait for the registry. */
  readonly onWaiting: () => void;
  readonly disable: (because: DisableReason | HoldReason, detail: string) => void;
}

const MAX_INTERNAL_TRIES = 3;

/**
 * The life of one delivery, from the moment that its record is due, the gate open and a rate token taken (`pump` in
 * customer/sending.ts sees to that), to the moment that its offset is done. A record that had to wait for its schema goes back
 * to its lane and passes the gate and the rate limit again. So an outage of the registry neither holds rate tokens nor
 * lets signatures expire.
 *
 *     render ─▶ authorize, send ─▶ outcome ─▶ fate ─┬─ done ──────────────────────────────▶ offset done
 *                                                   ├─ moved ─▶ retry or dead letters ────▶ offset done
 *                                                   └─ kept, disabled ─▶ back to its lane, not done
 *
 * An offset is done when the destination accepted the record, when the next topic acknowledged it, or when the event is
 * erased; nothing else.
 */
export class Deliveries {
  readonly #with: DeliveriesOptions;
  /** These counts are kept beside the record, because it is put back in between. */
  readonly #failures = new WeakMap<BufferedRecord, number>();
  #waitingForRegistry = 0;

  constructor(options: DeliveriesOptions) {
    this.#with = options;
  }

  /** True while at least one delivery waits for its schema. */
  get isWaitingForRegistry(): boolean {
    return this.#waitingForRegistry > 0;
  }

  /**
   * Delivers a record. If a bug throws anywhere on the way, the record is tried again, and after a few times it becomes
   * a dead letter: it is neither lost nor repeated endlessly.
   */
  async deliver(record: BufferedRecord): Promise<void> {
    try {
      const fate = await this.#attempt(record);
      if (fate !== undefined) await this.#apply(record, fate);
    } catch (error) {
      const failures = (this.#failures.get(record) ?? 0) + 1;
      this.#failures.set(record, failures);
      this.#logBug(error, record, { failures });
      if (failures < MAX_INTERNAL_TRIES) return this.#keepIfOurs(record);
      const outcome = { kind: 'internal', reason: messageOf(error) } as const;
      await this.#apply(record, deadLetter(record, this.#begin(record), 'internal', outcome));
    }
  }

  /**
   * Sends a customer's test event once, even if the breaker is open or a backlog waits: its purpose is to try the
   * connection. The result goes into the attempt log only. The test is not retried, becomes no dead letter, and does
   * not count for the breaker or the connection.
   */
  async deliverTest(test: BufferedRecord): Promise<void> {
    const { clock, ownership, connection, onAttempt } = this.#with;
    await untilConnectionIs(test.facts.testConnection, connection, clock);
    const atMs = clock.nowMs();
    const sent = await this.#sendTest(test, atMs);
    if (!(await ownership.isOurs(test))) return;
    if (sent !== undefined) {
      const report = attemptReport(test, { attempt: 1, atMs }, clock.nowMs() - atMs, sent.outcome, undefined);
      onAttempt({ ...report, test: true, ...(sent.answerBody !== undefined && { answer: sent.answerBody }) });
    }
    this.#done(test);
  }

  /** @returns undefined if nothing is left to do with the record here: it is back in its lane, or in another one */
  async #attempt(record: BufferedRecord): Promise<Fate | undefined> {
    const { clock, plan, ownership, gate, subscription, traces, onAttempt, isErased } = this.#with;
    if (isErased?.(record.facts)) return (await ownership.isOurs(record)) ? { kind: 'done' } : undefined;
    const begun = this.#begin(record);
    const trace = traces?.begin(begun.customer, record, begun.attempt, begun.atMs, subscription().destination);
    const sent = await this.#send(record, begun, trace);
    const nowMs = clock.nowMs();
    trace?.end(sent?.outcome, nowMs);
    if (sent === undefined) {
      await this.#keepIfOurs(record);
      return undefined;
    }

    // If the worker was replaced while the request was in flight, its result does not count: the next owner delivers
    // the record again.
    const isOurs = ownership.isOurs(record);
    if (isOurs !== true && !(await isOurs)) return undefined;
    const durationMs = nowMs - begun.atMs;
    const outcome = this.#observe(record, sent.outcome, durationMs);
    // The event may have been erased while the request was in flight, and the answer may quote it.
    const isErasedNow = isErased?.(record.facts) === true;
    const report = attemptReport(record, begun, durationMs, outcome, isErasedNow ? undefined : sent.answerBody);
    onAttempt(trace === undefined ? report : { ...report, traceId: trace.traceId });
    if (isErasedNow) return { kind: 'done' };
    return fateOf(record, begun, outcome, { nowMs, lastSuccessAtMs: gate.lastSuccessAtMs }, plan, trace?.traceparent);
  }

  #begin(record: BufferedRecord): Begun {
    const { customer, enableEpoch } = this.#with.subscription();
    return beginAttempt(customer, record.facts, enableEpoch, this.#with.clock.nowMs());
  }

  /**
   * @returns undefined if nothing was sent: the record waited for its schema, the customer is stopping, or this worker
   *   does not own it any more
   */
  async #send(record: BufferedRecord, begun: Begun, trace: AttemptTrace | undefined): Promise<Sent | undefined> {
    const { ownership, destinations } = this.#with;
    for (let tries = 1; ; tries++) {
      try {
        const message = this.#render(record, begun.attempt);
        if (message instanceof Promise) {
          // The wait may take hours. Permission that was given before it no longer counts.
          await message;
          return undefined;
        }
        if (!ownership.mayBeSent(record)) return undefined;
        const traced = trace === undefined ? message : { ...message, traceparent: trace.traceparent };
        return await destinations.send(traced, begun.atMs, () => ownership.mayBeSent(record));
      } catch (error) {
        this.#logBug(error, record, { tries });
        if (tries >= MAX_INTERNAL_TRIES) return { outcome: { kind: 'internal', reason: messageOf(error) } };
      }
    }
  }

  async #sendTest(test: BufferedRecord, nowMs: number): Promise<Sent | undefined> {
    const { ownership, destinations } = this.#with;
    try {
      const message = await this.#render(test, 1);
      if (message === undefined) return undefined;
      return await destinations.send({ ...message, keepsAnswer: true }, nowMs, () => ownership.mayBeSent(test));
    } catch (error) {
      this.#logBug(error, test, {});
      return { outcome: { kind: 'internal', reason: messageOf(error) } };
    }
  }

  /**
   * Renders the event for the destination.
   * @returns undefined if the customer stopped during the wait for the schema
   */
  #render(record: BufferedRecord, attempt: number): Message | Promise<Message | undefined> {
    const { messages, subscription, stopping, onWaiting } = this.#with;
    const message = messages.render(record, attempt, subscription());
    // The registry may be down for hours, and a stop must not wait for it.
    if (!(message instanceof Promise)) return message;
    this.#waitingForRegistry++;
    onWaiting();
    return stopping.orEnded(message).finally(() => this.#waitingForRegistry--);
  }

  /**
   * Reports the outcome to the breaker, the connection and the rate limit.
   * @returns what the outcome means for this event
   */
  #observe(record: BufferedRecord, seen: Outcome, durationMs: number): Outcome {
    const { clock, plan, gate, inFlight, punctuality, disable, onFailed } = this.#with;
    const outcome = gate.recordOutcome(record, seen, instantOf(clock), { durationMs, inFlight: inFlight() });
    const failure = failureClassOf(seen);
    if (failure !== undefined) onFailed(failure);
    if (outcome.kind === 'delivered') punctuality.recordAcceptance(record);
    const held = gate.heldFor(plan.windowMs, clock.monotonicMs());
    if (held) disable(held.because, held.detail);
    return outcome;
  }

  async #apply(record: BufferedRecord, fate: Fate): Promise<void> {
    const { ownership, nextTopics, disable, onDeadLetter } = this.#with;
    switch (fate.kind) {
      case 'done':
        return this.#done(record);
      case 'moved':
        if (!(await nextTopics.write(fate.to, record))) return;
        if (fate.because !== undefined) onDeadLetter(fate.because);
        return this.#done(record);
      case 'kept':
        return ownership.lanes?.putBack(record);
      case 'disabled':
        ownership.lanes?.putBack(record);
        return disable(fate.reason, fate.detail);
    }
  }

  #done(record: BufferedRecord): void {
    this.#with.ownership.lanes?.done(record);
    this.#with.onDone();
  }

  /**
   * Puts the record back into its lane, unless that lane belongs to another worker by now. After a rebalance the lane
   * may go on here: then it must not miss its record.
   */
  async #keepIfOurs(record: BufferedRecord): Promise<void> {
    const { ownership } = this.#with;
    if (await ownership.isOurs(record)) ownership.lanes?.putBack(record);
  }

  #logBug(
    err: unknown,
    { facts }: BufferedRecord,
    counts: { readonly tries?: number; readonly failures?: number },
  ): void {
    this.#with.log.error(
      { event: 'delivery_internal_error', err, eventId: facts.eventId, ...counts },
      'delivery failed with an internal error',
    );
  }
}
