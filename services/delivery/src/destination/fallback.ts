import type { Message, Sent } from './destination.ts';

/** While the destination accepts the old secret only, the new one is tried again at this interval. */
const TRY_NEW_EVERY_MS = 60_000;

type Send = (message: Message, nowMs: number, mayStart?: () => boolean) => Promise<Sent | undefined>;

/**
 * Sends with the new secret or, for as long as an old one is a fallback, with the old one: a request that the
 * destination refuses with the first is sent again with the second.
 */
export class Fallback {
  /** The time until which the old secret is tried first. */
  #oldFirstUntilMs = 0;

  /** @param old undefined if there is no old secret any more */
  async send(
    current: Send,
    old: Send | undefined,
    ...[message, nowMs, mayStart]: Parameters<Send>
  ): Promise<Sent | undefined> {
    if (old === undefined) return await current(message, nowMs, mayStart);
    const isOldFirst = nowMs < this.#oldFirstUntilMs;
    const [first, second] = isOldFirst ? [old, current] : [current, old];
    const seen = await first(message, nowMs, mayStart);
    if (seen?.outcome.kind !== 'deauthorized') return seen;
    const again = await second(message, nowMs, mayStart);
    if (again === undefined || again.outcome.kind === 'deauthorized') return seen;
    this.#oldFirstUntilMs = isOldFirst ? 0 : nowMs + TRY_NEW_EVERY_MS;
    return again;
  }
}
