import { setImmediate } from 'node:timers/promises';
import type { ConsumedBatch, ConsumedRecord } from '@databridge/kernel/kafka/records';
import type { Logger } from '@databridge/kernel/log';
import type { EventReaders } from '@databridge/kernel/registry/event-readers';
import { systemClock } from '@databridge/kernel/time/clock';
import type { EventType } from '@databridge/schemas/event/event-types';
import type { SubscriptionIndex } from '@databridge/schemas/subscription/match';
import type { FanOutMetrics } from '../metrics.ts';
import { FilterFailureLog } from './filter-failure-log.ts';
import { FilterShares } from './filter-shares.ts';
import { Filters } from './filters.ts';
import { type Routed, routeRecords } from './route.ts';
import type { RouteTraces } from './route-traces.ts';

export interface BatchRouterParts {
  readonly subscriptions: SubscriptionIndex;
  readonly readers: Pick<EventReaders, 'peek'>;
  readonly metrics: FanOutMetrics;
  readonly log: Logger;
  /** The time for which records are routed in one turn of the event loop. If omitted, 20 ms. */
  readonly maxTurnMs?: number;
}

/**
 * Routing is synchronous: heartbeats and probes wait for it. If a batch of large events were routed at once, with
 * filters at their limit, the instance would lose its membership. The partitions share a turn of the event loop,
 * whatever their number.
 */
const MAX_TURN_MS = 20;

/** Routes intake records in turns of bounded time, and counts the results. */
export class BatchRouter {
  readonly #parts: BatchRouterParts;
  readonly #filters = new Filters();
  readonly #shares = new FilterShares();
  readonly #failures: FilterFailureLog;
  /** The end of the present turn of the event loop; undefined until a record is routed in it. */
  #turnEndsAtMs: number | undefined;

  constructor(parts: BatchRouterParts) {
    this.#parts = parts;
    this.#failures = new FilterFailureLog(parts.log);
  }

  /** True if the present turn of the event loop has time left. */
  get hasTime(): boolean {
    return systemClock.monotonicMs() < this.#turnEnd();
  }

  /** Routes as many of the records as the present turn has time for, at least one. */
  route(
    records: readonly ConsumedRecord[],
    eventType: EventType,
    intake: ConsumedBatch,
    traces: RouteTraces | undefined,
  ): Routed {
    const { readers, subscriptions } = this.#parts;
    const endsAtMs = this.#turnEnd();
    return routeRecords(records, {
      eventType: eventType.name,
      intake,
      readerOf: (schemaId) => readers.peek(eventType, schemaId),
      customersFor: (name, routing) => subscriptions.customersFor(name, routing),
      filteredAmong: (customers) => subscriptions.filteredAmong(customers),
      mayAsk: (customer) => this.#shares.mayAsk(customer),
      ask: ({ customer, filter }, event) => {
        const begunAtMs = systemClock.monotonicMs();
        const { verdict, work } = this.#filters.of(filter, eventType).measured(event);
        this.#shares.recordUse(customer, work, systemClock.monotonicMs() - begunAtMs);
        return verdict;
      },
      ...(traces && { beginTrace: (record, eventId, copies) => traces.begin(record, eventId, copies) }),
      mayGoOn: () => systemClock.monotonicMs() < endsAtMs,
    });
  }

  #turnEnd(): number {
    if (this.#turnEndsAtMs === undefined) {
      this.#turnEndsAtMs = systemClock.monotonicMs() + (this.#parts.maxTurnMs ?? MAX_TURN_MS);
      void setImmediate().then(() => {
        this.#turnEndsAtMs = undefined;
      });
    }
    return this.#turnEndsAtMs;
  }

  /** To be called once the routed records are written. @param given the records that `routed` was made from */
  count(eventType: EventType, given: readonly ConsumedRecord[], routed: Routed): void {
    const { matched, unmatched, quarantined, records, filteredOut, filterFailures } = routed;
    const { metrics, log, subscriptions } = this.#parts;
    const event_type = eventType.name;
    if (filteredOut > 0) metrics.filteredOut.inc({ event_type }, filteredOut);
    for (const [customer, group] of Map.groupBy(filterFailures, (one) => one.customer)) {
      // A customer that was deleted in the meantime must not get its series back.
      if (subscriptions.has(customer)) metrics.filterFailures.inc({ event_type, customer }, group.length);
      this.#failures.note(eventType.name, customer, group, systemClock.monotonicMs());
    }
    metrics.events.inc({ event_type, outcome: 'matched' }, matched);
    metrics.events.inc({ event_type, outcome: 'unmatched' }, unmatched);
    metrics.events.inc({ event_type, outcome: 'quarantined' }, quarantined.length);
    metrics.copies.inc({ event_type }, records.length - quarantined.length);
    for (const [reason, group] of Map.groupBy(quarantined, (one) => one.reason)) {
      metrics.quarantined.inc({ event_type, reason }, group.length);
      const level = reason === 'internal' ? 'error' : 'warn';
      // One line per reason: a bad producer must not fill the log. Each record carries its own detail.
      log[level](
        { event: 'records_quarantined', eventType: eventType.name, reason, records: group.length, first: group[0] },
        'records quarantined',
      );
    }
    this.#measure(eventType, given, routed);
  }

  #measure({ name }: EventType, given: readonly ConsumedRecord[], { left, undecided }: Routed): void {
    const nowMs = systemClock.nowMs();
    const waiting = new Set(undecided);
    for (let at = 0; at < given.length - left.length; at++) {
      const record = given[at] as ConsumedRecord;
      if (!waiting.has(record)) this.#parts.metrics.routed(name, nowMs - record.timestampMs);
    }
  }
}
