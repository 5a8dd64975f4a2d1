import { createHash } from 'node:crypto';
import type { KafkaSettings } from '@databridge/kernel/kafka/kafkajs/client';
import { CompactedTable } from '@databridge/kernel/kafka/tables/compacted-table';
import {
  decodeIdempotency,
  IDEMPOTENCY_KEPT_MS,
  type IdempotencyRecord,
} from '@databridge/schemas/records/idempotency';
import { IDEMPOTENCY_TOPIC } from '@databridge/schemas/records/topics';
import { within } from '../within.ts';
import type { AnswerSeal } from './answer-seal.ts';

const READ_WITHIN_MS = 10_000;

/** The present number of keys of one tenant. */
export interface KeptByTenant {
  readonly keys: number;
  readonly bytes: number;
  /** When the oldest of them expires, in ms since the epoch. */
  readonly nextFreeAtMs: number;
}

interface Kept {
  readonly record: IdempotencyRecord;
  readonly bytes: number;
}

/** The look-up of records of idempotency keys. */
export interface KeptAnswers {
  /** Includes everything that was committed before the call. */
  find(place: string, nowMs: number): Promise<IdempotencyRecord | undefined>;
  keptBy(tenant: string, nowMs: number): KeptByTenant;
}

/** The place of a key: a reader cannot derive the key from it, and no two callers share one. */
export function placeOf(callerId: string, url: string, key: string): string {
  return createHash('sha256')
    .update(JSON.stringify([callerId, url, key]))
    .digest('base64url');
}

/** The idempotency keys of the last 24 hours with their answers, from Kafka. */
export class KeptAnswerTable implements KeptAnswers {
  readonly #table: CompactedTable<Kept>;
  readonly #byTenant = new Map<string, Map<string, Kept>>();
  readonly #tenantOf = new Map<string, string>();

  readonly seal: AnswerSeal;

  constructor(kafka: KafkaSettings, seal: AnswerSeal) {
    this.seal = seal;
    this.#table = new CompactedTable(kafka, {
      topic: IDEMPOTENCY_TOPIC,
      maxWaitMs: 200,
      decode: (_place, value) => {
        const record = decodeIdempotency(value);
        return record && { record, bytes: value.length };
      },
      onChange: (place, kept) => this.#index(place, kept),
    });
  }

  async start(): Promise<void> {
    await this.#table.start();
    await this.#table.caughtUp();
  }

  async stop(): Promise<void> {
    await this.#table.stop();
  }

  /** @throws {KafkaPortError} `DB_KAFKA_UNAVAILABLE` */
  async find(place: string, nowMs: number): Promise<IdempotencyRecord | undefined> {
    await within(READ_WITHIN_MS, this.#table.refreshed(), 'read the idempotency keys to their end');
    const record = this.#table.get(place)?.record;
    return record === undefined || isExpired(record, nowMs) ? undefined : record;
  }

  keptBy(tenant: string, nowMs: number): KeptByTenant {
    const kept = [...(this.#byTenant.get(tenant)?.values() ?? [])].filter(({ record }) => !isExpired(record, nowMs));
    return {
      keys: kept.length,
      bytes: kept.reduce((sum, { bytes }) => sum + bytes, 0),
      nextFreeAtMs: Math.min(...kept.map(({ record }) => record.atMs), nowMs) + IDEMPOTENCY_KEPT_MS,
    };
  }

  /** The places that have expired. */
  expired(nowMs: number): string[] {
    return [...this.#table.entries()].filter(([, { record }]) => isExpired(record, nowMs)).map(([place]) => place);
  }

  #index(place: string, kept: Kept | undefined): void {
    const before = this.#tenantOf.get(place);
    if (before !== undefined) {
      const places = this.#byTenant.get(before);
      places?.delete(place);
      if (places?.size === 0) this.#byTenant.delete(before);
      this.#tenantOf.delete(place);
    }
    if (kept === undefined) return;
    const { tenant } = kept.record;
    const places = this.#byTenant.get(tenant) ?? new Map<string, Kept>();
    this.#byTenant.set(tenant, places);
    places.set(place, kept);
    this.#tenantOf.set(place, tenant);
  }
}

const isExpired = ({ atMs }: IdempotencyRecord, nowMs: number) => atMs <= nowMs - IDEMPOTENCY_KEPT_MS;
