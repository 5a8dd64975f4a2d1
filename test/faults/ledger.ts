import { doneBy } from '@databridge/control-plane/views/gather-evidence';
import type { KafkaAdmin } from '@databridge/kernel/kafka/admin/admin';
import type { KafkaSettings } from '@databridge/kernel/kafka/kafkajs/client';
import type { CommittedOffset } from '@databridge/kernel/kafka/records';
import { createLogger } from '@databridge/kernel/log';
import { parseSource, readDeliveryHeaders } from '@databridge/schemas/records/headers';
import { deliveryGroup, deliveryTopic, FAN_OUT_GROUP, retryDelayOf } from '@databridge/schemas/records/topics';
import { platform } from '../harness/platform.ts';
import type { Stage } from '../harness/stage.ts';
import type { ReceiverProcess } from './receiver-process.ts';

export interface Tally {
  /** Produced and acknowledged. */
  readonly events: number;
  /** Of these, accepted by the destination. */
  readonly delivered: number;
  /** Requests beyond the first of an event's attempt. */
  readonly duplicates: number;
  readonly lost: number;
  /** What invariant 3 allows: in flight at each fault, and finished since the last commit before it. */
  readonly bound: number;
  /** The longest time between two accepted requests. */
  readonly longestStallMs: number;
}

export interface FaultWindow {
  readonly what: string;
  readonly hits: readonly ('fan-out' | 'delivery')[];
  readonly fromMs: number;
  readonly toMs: number;
}

interface Sample {
  readonly atMs: number;
  /** Of all groups, by topic. */
  readonly committed: readonly CommittedOffset[];
}

/** A record of a delivery or retry topic. */
interface Written {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly id: string;
  /** Attempts made before it. */
  readonly attempt: number;
  readonly timestampMs: number;
  readonly source: string | undefined;
}

/** Takes down again and again what is committed, and counts at the end. */
export class Ledger {
  readonly kafka: KafkaSettings;
  readonly #admin: KafkaAdmin;
  readonly #stage: Stage;
  readonly #customers: readonly string[];
  readonly #samples: Sample[] = [];
  #orderedAgain = 0;

  constructor(admin: KafkaAdmin, stage: Stage, customers: readonly string[]) {
    this.kafka = { brokers: platform().brokers, clientId: 'faults', log: createLogger('faults', 'silent') };
    this.#admin = admin;
    this.#stage = stage;
    this.#customers = customers;
  }

  /** While the broker is away there is nothing to read, and nothing changes. */
  async sample(): Promise<void> {
    const groups = [FAN_OUT_GROUP, ...this.#customers.map(deliveryGroup)];
    try {
      // Requests that arrive while the offsets are read are counted as not committed: the bound of the next sample.
      const atMs = Date.now();
      const committed = await Promise.all(groups.map((group) => this.#admin.committedOffsets(group)));
      this.#samples.push({ atMs, committed: committed.flat() });
    } catch {
      const last = this.#samples.at(-1);
      if (last) this.#samples.push({ ...last, atMs: Date.now() });
    }
  }

  /** So many repeats were ordered, by a rewind. */
  expectAgain(count: number): void {
    this.#orderedAgain += count;
  }

  /** How many records are not done yet, by topic; none: not listed. */
  async lags(customer: string): Promise<Record<string, number>> {
    const topics = await this.#lanes(customer);
    const lags = await Promise.all(
      topics.map(async (topic) => [topic, await this.#stage.lag(customer, topic)] as const),
    );
    return Object.fromEntries(lags.filter(([, lag]) => lag > 0));
  }

  async tally(
    receiver: ReceiverProcess,
    events: ReadonlySet<string>,
    lost: readonly string[],
    windows: readonly FaultWindow[],
  ): Promise<Tally> {
    const written = await this.#written();
    const firstSeenMs = new Map<string, number>();
    let duplicates = 0;
    for (const { id, attempt, atMs } of receiver.requests) {
      const key = `${attempt} ${id}`;
      if (firstSeenMs.has(key)) duplicates++;
      else firstSeenMs.set(key, atMs);
    }
    const bound = windows.reduce((sum, { hits, fromMs, toMs }) => {
      const samples = this.#samples.filter(({ atMs }) => atMs >= fromMs - SAMPLE_SLACK_MS && atMs <= toMs);
      const sent = hits.includes('delivery')
        ? samples.map((one) => sentButNotCommitted(one, written, firstSeenMs))
        : [];
      const copied = hits.includes('fan-out') ? samples.map((one) => copiedButNotCommitted(one, written)) : [];
      return sum + Math.max(0, ...sent) + Math.max(0, ...copied);
    }, 0);
    return {
      events: events.size,
      delivered: events.size - lost.length,
      duplicates: duplicates - this.#orderedAgain,
      lost: lost.length,
      bound,
      longestStallMs: longestGap(receiver.acceptedAtMs),
    };
  }

  async #lanes(customer: string): Promise<string[]> {
    const topics = await this.#admin.listTopics();
    return [deliveryTopic(customer), ...topics.filter((topic) => retryDelayOf(customer, topic) !== undefined)];
  }

  async #written(): Promise<Written[]> {
    const written: Written[] = [];
    for (const topic of (await Promise.all(this.#customers.map((customer) => this.#lanes(customer)))).flat()) {
      for (const { offset, headers, timestampMs } of await this.#stage.read(topic)) {
        const { eventId: id, attempt, source } = readDeliveryHeaders(headers);
        // Delivery topics have one partition.
        written.push({ topic, partition: 0, offset, id, attempt, timestampMs, source });
      }
    }
    return written;
  }
}

/** The sample that opens a window is taken just before it. */
const SAMPLE_SLACK_MS = 50;

/** In flight, or finished since the last commit. */
function sentButNotCommitted(
  { atMs, committed }: Sample,
  written: readonly Written[],
  firstSeenMs: ReadonlyMap<string, number>,
): number {
  const isDone = doneBy(committed);
  return written.filter(({ topic, partition, offset, id, attempt }) => {
    const seenMs = firstSeenMs.get(`${attempt + 1} ${id}`);
    return seenMs !== undefined && seenMs <= atMs && !isDone(topic, partition, offset);
  }).length;
}

/** Written by fan-out for intake records that it has not committed. */
function copiedButNotCommitted({ atMs, committed }: Sample, written: readonly Written[]): number {
  const isDone = doneBy(committed);
  return written.filter(({ attempt, source, timestampMs }) => {
    const from = attempt === 0 && source !== undefined ? parseSource(source) : undefined;
    return from !== undefined && timestampMs <= atMs && !isDone(from.topic, from.partition, from.offset);
  }).length;
}

function longestGap(timesMs: readonly number[]): number {
  let longest = 0;
  for (let at = 1; at < timesMs.length; at++) {
    longest = Math.max(longest, (timesMs[at] as number) - (timesMs[at - 1] as number));
  }
  return longest;
}
