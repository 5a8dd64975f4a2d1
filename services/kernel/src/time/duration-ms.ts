const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `"1500ms"`, `"10s"`, `"7m45s"`, `"24h"` → milliseconds; undefined for anything else, such as two numbers of one unit. */
export function durationMs(text: string): number | undefined {
  if (!/^(?=\d)(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$/.test(text)) return undefined;
  let totalMs = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|s|m|h|d)/g)) {
    totalMs += Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
  }
  return totalMs;
}
