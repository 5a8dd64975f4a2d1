/**
 * Finds the reader for an event by the schema id in its frame: at once if the schema is known, otherwise by asking the
 * registry.
 */
import type { EventReader, EventType } from '@databridge/schemas/event/event-types';
import { messageOf } from '../errors.ts';
import type { Logger } from '../log.ts';
import { Backoff, type BackoffLimits, KAFKA_BACKOFF } from '../time/backoff.ts';
import { type Clock, systemClock } from '../time/clock.ts';
import { pause } from '../time/pause.ts';
import type { WriterSchema } from './schema-registry.ts';

export type ReaderLookup =
  | { readonly kind: 'reader'; readonly reader: EventReader }
  /** Events with this schema id can never be read. */
  | {
      readonly kind: 'unreadable';
      readonly reason: 'unknown-schema' | 'incompatible-schema';
      readonly detail: string;
    };

export interface EventReadersOptions {
  readonly registry: { writerSchema(id: number): Promise<WriterSchema> };
  readonly log: Logger;
  readonly clock?: Clock;
  /** A random number from 0 to 1: the jitter of retries. The default is `Math.random`. */
  readonly random?: () => number;
  /** The time to wait for an id that the registry does not know: a restarted registry may learn of it late. */
  readonly unknownIdWaitMs?: number;
}

const UNKNOWN_ID_WAIT_MS = 10_000;
/**
 * One faulty producer then costs one wait a minute instead of one per record, and its correction is seen soon after.
 */
const UNREADABLE_REMEMBERED_MS = 60_000;
/** Producers choose the ids, so the memory of invalid ones is bounded. */
const MAX_UNREADABLE = 10_000;
/**
 * Few writers' schemas are in use at a time, and each takes some memory. The oldest is dropped, and made again when it
 * is needed.
 */
const MAX_READERS = 500;
/**
 * The number of ids that may be waited for at the same time; more than that are invented, and their records must not
 * delay others.
 */
const MAX_AWAITED_IDS = 64;
/** A registry that answers is asked for an id more often than one that is down. */
const UNKNOWN_ID_BACKOFF: BackoffLimits = { firstMs: 100, longestMs: 1_000 };

interface Unreadable {
  readonly lookup: ReaderLookup;
  readonly untilMs: number;
}

export class EventReaders {
  readonly #registry: EventReadersOptions['registry'];
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #random: (() => number) | undefined;
  readonly #unknownIdWaitMs: number;
  readonly #readers = new Map<string, ReaderLookup>();
  readonly #unreadable = new Map<string, Unreadable>();
  readonly #loading = new Map<string, Promise<ReaderLookup>>();
  readonly #stopped = new AbortController();
  #waitingForRegistry = 0;
  #awaitedIds = 0;

  constructor(options: EventReadersOptions) {
    this.#registry = options.registry;
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random;
    this.#unknownIdWaitMs = options.unknownIdWaitMs ?? UNKNOWN_ID_WAIT_MS;
  }

  /** The number of look-ups that wait because the registry cannot be reached. */
  get waitingForRegistry(): number {
    return this.#waitingForRegistry;
  }

  /** @returns the result if it is known without asking the registry */
  peek(eventType: EventType, schemaId: number): ReaderLookup | undefined {
    const key = `${schemaId}/${eventType.name}`;
    const known = this.#readers.get(key);
    if (known) return known;
    const unreadable = this.#unreadable.get(key);
    if (unreadable && unreadable.untilMs > this.#clock.monotonicMs()) return unreadable.lookup;
    return undefined;
  }

  /**
   * Waits as long as the registry cannot be reached, and for a bounded time while it does not know the id.
   * @throws only after {@link stop}
   */
  load(eventType: EventType, schemaId: number): Promise<ReaderLookup> {
    const known = this.peek(eventType, schemaId);
    if (known) return Promise.resolve(known);
    const key = `${schemaId}/${eventType.name}`;
    const loading = this.#loading.get(key);
    if (loading) return loading;
    const lookup = this.#load(eventType, schemaId, key).finally(() => this.#loading.delete(key));
    this.#loading.set(key, lookup);
    return lookup;
  }

  /** Ends all waits: they reject. */
  stop(): void {
    this.#stopped.abort(new Error('stopped'));
  }

  async #load(eventType: EventType, schemaId: number, key: string): Promise<ReaderLookup> {
    const writer = await this.#writerSchema(schemaId);
    if (writer.kind === 'unknown-id') {
      return this.#remember(key, {
        kind: 'unreadable',
        reason: 'unknown-schema',
        detail: `the registry does not know schema ${schemaId}`,
      });
    }
    if (writer.kind === 'unusable') {
      return this.#remember(key, { kind: 'unreadable', reason: 'incompatible-schema', detail: writer.detail });
    }
    try {
      const lookup = { kind: 'reader', reader: eventType.readerFor(writer.schema, writer.references) } as const;
      this.#readers.set(key, lookup);
      const [oldest] = this.#readers.keys();
      if (this.#readers.size > MAX_READERS && oldest !== undefined) this.#readers.delete(oldest);
      return lookup;
    } catch (error) {
      return this.#remember(key, { kind: 'unreadable', reason: 'incompatible-schema', detail: messageOf(error) });
    }
  }

  #remember(key: string, lookup: ReaderLookup): ReaderLookup {
    if (this.#unreadable.size >= MAX_UNREADABLE) this.#unreadable.clear();
    this.#unreadable.set(key, { lookup, untilMs: this.#clock.monotonicMs() + UNREADABLE_REMEMBERED_MS });
    return lookup;
  }

  /** @returns `unknown-id` if the registry still does not know the id after the bounded wait */
  async #writerSchema(schemaId: number): Promise<Exclude<WriterSchema, { kind: 'unreachable' }>> {
    const unreachable = new Backoff(KAFKA_BACKOFF, this.#random);
    const unknown = new Backoff(UNKNOWN_ID_BACKOFF, this.#random);
    let unknownSinceMs: number | undefined;
    let isWaitingForRegistry = false;
    let isAwaited = false;
    try {
      for (;;) {
        const answer = await this.#registry.writerSchema(schemaId);
        this.#stopped.signal.throwIfAborted();
        if (answer.kind === 'schema' || answer.kind === 'unusable') return answer;
        const delayMs = (answer.kind === 'unreachable' ? unreachable : unknown).next();
        if (answer.kind === 'unreachable') {
          // Time during which the registry could not be reached does not count for the id.
          unknownSinceMs = undefined;
          if (!isWaitingForRegistry) this.#waitingForRegistry++;
          isWaitingForRegistry = true;
          this.#log.warn(
            { event: 'registry_unreachable', schemaId, retryInMs: delayMs, err: answer.error },
            'waiting for the schema registry',
          );
        } else {
          const nowMs = this.#clock.monotonicMs();
          if (unknownSinceMs === undefined) {
            if (!isAwaited && this.#awaitedIds >= MAX_AWAITED_IDS) return answer;
            if (!isAwaited) this.#awaitedIds++;
            isAwaited = true;
            unknownSinceMs = nowMs;
          }
          if (nowMs - unknownSinceMs >= this.#unknownIdWaitMs) return answer;
        }
        await pause(delayMs, { signal: this.#stopped.signal, clock: this.#clock });
        this.#stopped.signal.throwIfAborted();
      }
    } finally {
      if (isWaitingForRegistry) this.#waitingForRegistry--;
      if (isAwaited) this.#awaitedIds--;
    }
  }
}
