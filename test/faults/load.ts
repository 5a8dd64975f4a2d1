import { setTimeout as delay } from 'node:timers/promises';
import { rootCauseEvent } from '../harness/events.ts';
import type { IntakeRecord, UpstreamProducer } from '../harness/produce.ts';

const TICK_MS = 100;

/** An upstream that produces at a steady rate, and makes up for what it could not produce during an outage. */
export class Load {
  readonly #upstream: UpstreamProducer;
  readonly #customers: readonly string[];
  readonly #perSecond: number;
  /** Acknowledged by the broker: these must arrive. */
  readonly acknowledged = new Set<string>();
  #isOn = true;
  readonly #running: Promise<void>;

  constructor(upstream: UpstreamProducer, customers: readonly string[], perSecond: number) {
    this.#upstream = upstream;
    this.#customers = customers;
    this.#perSecond = perSecond;
    this.#running = this.#run();
  }

  /** Takes nothing back: what is under way is produced first. */
  async stop(): Promise<void> {
    this.#isOn = false;
    await this.#running;
  }

  async #run(): Promise<void> {
    const startedAtMs = performance.now();
    while (this.#isOn) {
      const due = Math.floor(((performance.now() - startedAtMs) / 1_000) * this.#perSecond);
      await this.#produce(due - this.acknowledged.size);
      await delay(TICK_MS);
    }
  }

  async #produce(count: number): Promise<void> {
    if (count <= 0) return;
    const events = Array.from({ length: count }, (_, at) =>
      rootCauseEvent({ company: this.#customers[(this.acknowledged.size + at) % this.#customers.length] as string }),
    );
    const records: IntakeRecord[] = await Promise.all(
      events.map(async (event) => ({
        key: event.summary.requestid,
        value: await this.#upstream.encode(event),
        headers: { 'event-id': event.summary.requestid },
      })),
    );
    for (;;) {
      try {
        await this.#upstream.produceRaw(records);
        break;
      } catch {
        // The broker is away. What may be stored already is stored twice then, under the same id.
        await delay(TICK_MS);
      }
    }
    for (const { key } of records) if (key !== null) this.acknowledged.add(key);
  }
}
