import type { Secret } from '@databridge/kernel/secrets/secret';
import { mapSecrets } from '@databridge/schemas/subscription/secret-places';
import type { Subscription } from '@databridge/schemas/subscription/subscription';
import type { Destination, Message, Sent } from './destination.ts';

/** While the old secret is the one that is known, the new one is tried again this often: not with every event. */
const TRY_NEW_EVERY_MS = 60_000;

/**
 * The destination, and for as long as an old secret is a fallback, the destination as it was known before: what is
 * refused with the one is sent with the other.
 */
export function openWithFallback(
  subscription: Subscription<Secret>,
  open: (subscription: Subscription<Secret>) => Destination,
  nowMs: number,
): Destination {
  const fallbacks = Object.entries(subscription.fallbacks ?? {}).filter(
    ([place, { untilMs }]) => place.startsWith('authentication.') && untilMs > nowMs,
  );
  const current = open(subscription);
  if (fallbacks.length === 0) return current;
  const secrets = new Map(fallbacks.map(([place, { secret }]) => [place, secret]));
  const untilMs = Math.max(...fallbacks.map(([, fallback]) => fallback.untilMs));
  const before = () => open(mapSecrets(subscription, (secret, place) => secrets.get(place) ?? secret));
  return new FallbackDestination(current, before, untilMs);
}

class FallbackDestination implements Destination {
  readonly #current: Destination;
  readonly #openOld: () => Destination;
  readonly #untilMs: number;
  #old: Destination | undefined;
  /** The old one is tried first until then. */
  #oldFirstUntilMs = 0;
  #isEnding = false;

  constructor(current: Destination, openOld: () => Destination, untilMs: number) {
    this.#current = current;
    this.#openOld = openOld;
    this.#untilMs = untilMs;
  }

  async send(message: Message, nowMs: number, mayStart?: () => boolean): Promise<Sent | undefined> {
    if (nowMs >= this.#untilMs || this.#isEnding) return await this.#current.send(message, nowMs, mayStart);
    this.#old ??= this.#openOld();
    const old = this.#old;
    const isOldFirst = nowMs < this.#oldFirstUntilMs;
    const [first, second] = isOldFirst ? [old, this.#current] : [this.#current, old];
    const seen = await first.send(message, nowMs, mayStart);
    if (seen?.outcome.kind !== 'deauthorized') return seen;
    const again = await second.send(message, nowMs, mayStart);
    if (again === undefined || again.outcome.kind === 'deauthorized') return seen;
    this.#oldFirstUntilMs = isOldFirst ? 0 : nowMs + TRY_NEW_EVERY_MS;
    return again;
  }

  async close(): Promise<void> {
    this.#isEnding = true;
    await Promise.all([this.#current.close(), this.#old?.close()]);
  }

  async abort(): Promise<void> {
    this.#isEnding = true;
    await Promise.all([this.#current.abort(), this.#old?.abort()]);
  }
}
