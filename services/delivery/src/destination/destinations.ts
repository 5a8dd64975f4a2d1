import type { Logger } from '@databridge/kernel/log';
import type { Secret } from '@databridge/kernel/secrets/secret';
import { mapSecrets } from '@databridge/schemas/subscription/secret-places';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { Destination, Message, Sent } from './destination.ts';
import { Fallback } from './fallback.ts';
import { openedWith } from './identity.ts';

export interface DestinationsOptions {
  readonly log: Logger;
  /** @param onRate called when the destination allows no more than this rate per second */
  readonly open: (subscription: Subscription<Secret>, onRate: (perSecond: number) => void) => Destination;
  /** Called when the destination in use allows no more than this rate per second. */
  readonly onRate: (perSecond: number) => void;
}

/** The destination with the old secret, for as long as that secret is a fallback. */
interface Before {
  readonly connection: string;
  readonly subscription: Subscription<Secret>;
  readonly untilMs: number;
}

/**
 * One customer's open destinations, by all settings that they were opened with: the one in use, the one before a secret
 * changed, and those that were replaced and still have requests in flight. A change of the subscription opens and
 * closes only what it concerns, so pools and tokens survive all others.
 */
export class Destinations {
  readonly #options: DestinationsOptions;
  readonly #open = new Map<string, Destination>();
  readonly #closing = new Set<Destination>();
  readonly #fallback = new Fallback();
  #subscription: Subscription<Secret>;
  #connection: string;
  #before: Before | undefined;
  #hasClosed = false;

  constructor(subscription: Subscription<Secret>, options: DestinationsOptions, nowMs: number) {
    this.#options = options;
    this.#subscription = subscription;
    this.#connection = openedWith(subscription, nowMs);
    this.#before = beforeOf(subscription, this.#connection, nowMs);
    this.#opened(this.#connection, subscription);
  }

  /** Sends the next request by this subscription; requests in flight end where they began. */
  update(subscription: Subscription<Secret>, nowMs: number): void {
    this.#subscription = subscription;
    this.#connection = openedWith(subscription, nowMs);
    this.#before = beforeOf(subscription, this.#connection, nowMs);
    this.#opened(this.#connection, subscription);
    const used = [this.#connection, this.#before?.connection];
    for (const [connection, destination] of this.#open) {
      if (used.includes(connection)) continue;
      this.#open.delete(connection);
      this.#close(destination);
    }
  }

  send(message: Message, nowMs: number, mayStart?: () => boolean): Promise<Sent | undefined> {
    const current = this.#opened(this.#connection, this.#subscription);
    const before = this.#before;
    if (before === undefined || nowMs >= before.untilMs) return current.send(message, nowMs, mayStart);
    return this.#fallback.send(
      (...given) => current.send(...given),
      (...given) => {
        // The old secret may have been withdrawn while the new one was tried.
        const isUsed = this.#before?.connection === before.connection && !this.#hasClosed;
        return isUsed ? this.#opened(before.connection, before.subscription).send(...given) : current.send(...given);
      },
      ...[message, nowMs, mayStart],
    );
  }

  /** Cuts off requests in flight to all of the destinations. */
  abort(): void {
    this.#hasClosed = true;
    for (const destination of [...this.#open.values(), ...this.#closing]) {
      destination.abort().catch((error: unknown) => {
        this.#options.log.warn({ event: 'destination_close_failed', err: error }, 'destination abort failed');
      });
    }
  }

  /** Lets requests in flight to all of the destinations finish, then closes the connections. */
  async close(): Promise<void> {
    this.#hasClosed = true;
    await Promise.all([...this.#open.values()].map((destination) => destination.close()));
  }

  #opened(connection: string, subscription: Subscription<Secret>): Destination {
    const known = this.#open.get(connection);
    if (known) return known;
    // A replaced destination may still report a rate that it allows: that rate no longer counts.
    const destination: Destination = this.#options.open(subscription, (perSecond) => {
      if (this.#open.get(this.#connection) === destination) this.#options.onRate(perSecond);
    });
    this.#open.set(connection, destination);
    return destination;
  }

  #close(destination: Destination): void {
    this.#closing.add(destination);
    destination
      .close()
      .catch((error: unknown) =>
        this.#options.log.warn({ event: 'destination_close_failed', err: error }, 'replaced destination close failed'),
      )
      .finally(() => this.#closing.delete(destination));
  }
}

function beforeOf(subscription: Subscription<Secret>, connection: string, nowMs: number): Before | undefined {
  const fallbacks = Object.entries(subscription.fallbacks ?? {}).filter(
    ([place, { untilMs }]) => place.startsWith('authentication.') && untilMs > nowMs,
  );
  if (fallbacks.length === 0) return undefined;
  const secrets = new Map(fallbacks.map(([place, { secret }]) => [place, secret]));
  const before = mapSecrets(subscription, (secret, place) => secrets.get(place) ?? secret);
  const old = { connection: openedWith(before, nowMs), subscription: before };
  if (old.connection === connection) return undefined;
  return { ...old, untilMs: Math.max(...fallbacks.map(([, fallback]) => fallback.untilMs)) };
}
