/** Times and durations in words. */

/** Returns date and time with the offset of the zone. @param nowMs its own day is left out; undefined: no day is */
export function absoluteTime(ms: number, zone: string, nowMs: number | undefined): string {
  const day = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' });
  const time = new Intl.DateTimeFormat('sv-SE', {
    ...{ timeZone: zone, hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'shortOffset' },
  });
  const isToday = nowMs !== undefined && day.format(ms) === day.format(nowMs);
  return `${isToday ? '' : `${day.format(ms)} `}${time.format(ms)}`;
}

export function relativeTime(ms: number, nowMs: number): string {
  const distance = ms - nowMs;
  if (Math.abs(distance) < 1_000) return 'now';
  return distance < 0 ? `${lengthOf(-distance)} ago` : `in ${lengthOf(distance)}`;
}

/** Formats a duration in at most two units: `3 h 10 min`. */
export function lengthOf(ms: number): string {
  const seconds = Math.max(Math.round(ms / 1_000), 0);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const from = parts.findIndex(([count]) => count > 0);
  if (from === -1) return '0 s';
  return parts
    .slice(from, from + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

export function milliseconds(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

/** Returns the local time in the zone: `2026-10-25T02:30:00`. */
export function wallTime(ms: number, zone: string): string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
  return format.format(ms).replace(' ', 'T');
}

const DAY_MS = 86_400_000;

/**
 * Returns the moment of a local time; the first one if clocks go back. A skipped hour counts as if clocks had not
 * changed yet.
 * @param wall such as `2026-10-25T02:30` @returns undefined: it is no time
 */
export function momentOf(wall: string, zone: string): number | undefined {
  const wallMs = Date.parse(`${wall}Z`);
  if (Number.isNaN(wallMs)) return undefined;
  const shownAt = (ms: number) => Date.parse(`${wallTime(ms, zone)}Z`);
  // Clocks change at most once within these two days: one of the two offsets is in force.
  const possible = [wallMs - DAY_MS, wallMs + DAY_MS].map((near) => wallMs - (shownAt(near) - near));
  return possible.find((ms) => shownAt(ms) === wallMs) ?? possible[0];
}
