import { messageOf } from '@databridge/kernel/errors';
import type { KafkaSettings } from '@databridge/kernel/kafka/kafkajs/client';
import type { ProducedRecord } from '@databridge/kernel/kafka/records';
import type { CompactedTable } from '@databridge/kernel/kafka/tables/compacted-table';
import type { Logger } from '@databridge/kernel/log';
import { systemClock, type Timer } from '@databridge/kernel/time/clock';
import { every } from '@databridge/kernel/time/every';
import type { EventType } from '@databridge/schemas/event/event-types';
import { HEADER } from '@databridge/schemas/records/headers';
import { NOTICES_TOLD_TOPIC, NOTICES_TOPIC } from '@databridge/schemas/records/topics';
import type { Intake } from '../operations/produce-event.ts';
import type { Writer } from '../subscriptions/writer.ts';
import { within } from '../within.ts';
import { type Announcement, announce, type Notice, type Told } from './announce.ts';
import { conditionsOf, type FleetFacts } from './conditions.ts';
import { encodeTold, toldTable } from './told-table.ts';

export interface NotifierParts {
  readonly kafka: KafkaSettings;
  readonly writer: Pick<Writer, 'isOwner' | 'change'>;
  readonly intake: Pick<Intake, 'schemaIdOf'>;
  /** The event type `notice`. */
  readonly eventType: EventType;
  readonly facts: (nowMs: number) => Promise<FleetFacts>;
  readonly everyMs: number;
  readonly log: Logger;
}

const READ_WITHIN_MS = 10_000;
const SERVICE = { name: 'control-plane', role: 'service' };

/**
 * Notifies operators and customers of changes in deliveries: by events of the type `notice`, which fan-out and delivery
 * handle like all other events. A notice and the record of its condition are written in one transaction: so neither a
 * crash nor a change of the writer repeats or loses one.
 */
export class Notifier {
  readonly #parts: NotifierParts;
  readonly #told: CompactedTable<Told>;
  readonly #firstSeen = new Map<string, number>();
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: NotifierParts) {
    this.#parts = parts;
    this.#told = toldTable(parts.kafka);
  }

  async start(): Promise<void> {
    await this.#told.start();
    await this.#told.caughtUp();
    const { everyMs, log } = this.#parts;
    this.#timer = every(everyMs, () => {
      this.#running = this.#running
        .then(() => this.#pulse(systemClock.nowMs()))
        .catch((error: unknown) => {
          log.warn(
            { event: 'notices_not_written', err: error },
            `notices not written; the next attempt is in ${everyMs} ms: ${messageOf(error)}`,
          );
        });
    });
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#running;
    await this.#told.stop();
  }

  async #pulse(nowMs: number): Promise<void> {
    const { writer, facts, log } = this.#parts;
    if (!writer.isOwner) {
      this.#firstSeen.clear();
      return;
    }
    const conditions = conditionsOf(await facts(nowMs), nowMs);
    await writer.change(SERVICE, undefined, async (commit) => {
      // After the term began: the notices of the previous writer are in the table.
      await within(READ_WITHIN_MS, this.#told.refreshed(), 'read the sent notices');
      const announcement = announce(conditions, new Map(this.#told.entries()), this.#firstSeen, nowMs);
      const records = await this.#recordsOf(announcement);
      if (records.length > 0) await commit([{ records }]);
      for (const { company, kind, state } of announcement.notices) log.info({ company, kind, state }, 'notice written');
    });
  }

  async #recordsOf({ notices, told }: Announcement): Promise<ProducedRecord[]> {
    const state = [...told].map(
      ([key, value]): ProducedRecord => ({ topic: NOTICES_TOLD_TOPIC, key, value: value ? encodeTold(value) : null }),
    );
    if (notices.length === 0) return state;
    const { eventType, intake } = this.#parts;
    const schemaId = await intake.schemaIdOf(eventType);
    const events = notices.map((notice): ProducedRecord => {
      const eventId = `notice/${notice.company}/${notice.noticeId}/${notice.state}/${notice.atMs}`.slice(0, 128);
      const value = eventType.encode(schemaId, avroOf(notice));
      return { topic: NOTICES_TOPIC, key: notice.company, value, headers: { [HEADER.eventId]: eventId } };
    });
    return [...events, ...state];
  }
}

function avroOf(notice: Notice): Record<string, unknown> {
  return {
    ...{ schema_version: 'v1.0', noticeid: notice.noticeId, company: notice.company, kind: notice.kind },
    ...{ state: notice.state, severity: notice.severity, since: notice.sinceMs, at: notice.atMs, text: notice.text },
    ...{ customers: notice.customers, customer_count: notice.customerCount },
  };
}
