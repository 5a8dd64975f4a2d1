import type { Logger } from '@databridge/kernel/log';
import type { Destination } from './destination.ts';

/** A customer's destination, and those before it on which something is still in flight. */
export class Destinations {
  readonly #log: Logger;
  readonly #replaced = new Set<Destination>();
  #current: Destination;

  constructor(first: Destination, log: Logger) {
    this.#current = first;
    this.#log = log;
  }

  get current(): Destination {
    return this.#current;
  }

  /** What is in flight ends where it began. */
  replace(next: Destination): void {
    const previous = this.#current;
    this.#current = next;
    this.#replaced.add(previous);
    previous
      .close()
      .catch((error: unknown) => this.#log.warn({ err: error }, 'closing the old connections failed'))
      .finally(() => this.#replaced.delete(previous));
  }

  /** Cuts off what is in flight, wherever. */
  abort(): void {
    for (const destination of [this.#current, ...this.#replaced]) {
      destination.abort().catch((error: unknown) => this.#log.warn({ err: error }, 'cutting off failed'));
    }
  }

  async close(): Promise<void> {
    await this.#current.close();
  }
}
