import { decodeErasure, ErasedEvents, type Erasure } from '@databridge/schemas/privacy/erasures';
import { ERASED_TOPIC } from '@databridge/schemas/records/topics';
import type { KafkaSettings } from '../kafkajs/client.ts';
import { CompactedTable } from './compacted-table.ts';

/** The erased events, for every service that sends or shows events: it learns of an erasure a moment later. */
export class ErasedTable {
  readonly events = new ErasedEvents();
  readonly #table: CompactedTable<Erasure>;

  /**
   * @param onErased called when further events are erased; at the start also for each of those that were erased before
   */
  constructor(settings: KafkaSettings, onErased: () => void = () => undefined) {
    this.#table = new CompactedTable(settings, {
      topic: ERASED_TOPIC,
      maxWaitMs: 200,
      decode: (_request, value) => decodeErasure(value),
      onChange: (request, erasure) => {
        if (this.events.set(request, erasure?.events)) onErased();
      },
    });
  }

  /** Resolves once all earlier erasures are known: until then, no event may be sent or shown. */
  async start(): Promise<void> {
    await this.#table.start();
    await this.#table.caughtUp();
  }

  async stop(): Promise<void> {
    await this.#table.stop();
  }

  /** Resolves once it contains all erasures from before the call. @throws {KafkaPortError} `DB_KAFKA_UNAVAILABLE` */
  async refreshed(): Promise<void> {
    await this.#table.refreshed();
  }
}
