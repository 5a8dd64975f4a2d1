import type { Clock } from '@databridge/kernel/time/clock';

/**
 * After this time, the subscription was changed once more or cannot be used: the test is sent with the connection that
 * the worker has.
 */
const KNOWN_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 50;

/**
 * Waits until a customer's connection is the one that a test event is meant for. A worker learns of a change a moment
 * after the control plane, and a test that follows the change must not use the old connection.
 * @param connection the current one
 */
export async function untilConnectionIs(
  wanted: string | undefined,
  connection: () => string,
  clock: Pick<Clock, 'monotonicMs' | 'after'>,
): Promise<void> {
  const untilMs = clock.monotonicMs() + KNOWN_WITHIN_MS;
  while (wanted !== undefined && connection() !== wanted && clock.monotonicMs() < untilMs) {
    await new Promise<void>((resolve) => void clock.after(LOOK_EVERY_MS, resolve));
  }
}
