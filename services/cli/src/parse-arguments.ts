import { DatabridgeError } from '@databridge/kernel/errors';
import { systemClock } from '@databridge/kernel/time/clock';
import { durationMs } from '@databridge/kernel/time/duration-ms';
import { InvalidArgumentError } from 'commander';

export function parseOffset(text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new InvalidArgumentError('An offset is a whole number from 0 to 999999999999999.');
  return Number(text);
}

export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('Write a whole number from 1 to 9999999.');
  return Number(text);
}

/** RFC 3339, where seconds may be left out, as may the time of a day that begins. */
const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d))?$/i;

/** @returns the moment; a date alone is the beginning of that day in UTC */
export function parseTime(text: string): Date {
  const agoMs = durationMs(text);
  if (agoMs !== undefined && agoMs <= systemClock.nowMs()) return new Date(systemClock.nowMs() - agoMs);
  const [, day] = TIME.exec(text) ?? [];
  const time = new Date(text);
  // JavaScript takes February 30th for March 2nd, and "1" for a day in 2001.
  const isReal = day !== undefined && !Number.isNaN(time.getTime()) && isDay(day);
  if (isReal) return time;
  throw new InvalidArgumentError('Write 2026-01-31T12:00Z with its time zone, 2026-01-31, or 24h for a day ago.');
}

/** @throws {DatabridgeError} DB_INPUT_INVALID if the range ends before it begins */
export function refuseSwapped(from: Date | undefined, to: Date | undefined): void {
  if (from === undefined || to === undefined || from < to) return;
  throw new DatabridgeError('DB_INPUT_INVALID', '--to must be later than --from');
}

function isDay(day: string): boolean {
  const parsed = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(day);
}

/** Longer ones would exceed the limit of timers. */
const LONGEST = '24d';

/** @returns milliseconds */
export function parseDuration(text: string): number {
  const ms = durationMs(text);
  if (ms !== undefined && ms <= (durationMs(LONGEST) ?? 0)) return ms;
  throw new InvalidArgumentError(`Write a duration with its unit, such as 500ms, 30s or 5m, of ${LONGEST} at most.`);
}

export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError('A port is a number from 0 to 65535.');
  return port;
}
