/** Whose fault an alert tells of: it decides who is woken up. */
export type Fault = 'ours' | 'customer';

/** `critical` wakes somebody up, `warning` is for the next working hour, `info` is to be seen on a dashboard. */
export type Severity = 'critical' | 'warning' | 'info';

/**
 * Writes the durations of rules. A test runs the same rules with all of them divided by a factor, in front of a real
 * Prometheus, within a minute.
 */
export interface Durations {
  /** @param text such as `5m` @returns the same, as PromQL and the fields `for` and `keep_firing_for` want it */
  of(text: string): string;
  /** @returns the same as a number of seconds, to compare ages with */
  seconds(text: string): number;
}

export interface Alert {
  /** Without the prefix `Databridge`. */
  readonly name: string;
  readonly severity: Severity;
  readonly fault: Fault;
  readonly expr: (durations: Durations) => string;
  /** How long it must be so; left out: at once. */
  readonly for?: string;
  /** How long the alert stays after it is no longer so: a handover or a scrape that fails must not resolve it. */
  readonly keepFiringFor?: string;
  /** One sentence, with Prometheus' templates. */
  readonly summary: string;
  /** What it means for whom. */
  readonly description: string;
  /** The dashboard that shows it, by uid. */
  readonly dashboard: string;
}

export interface Recording {
  readonly record: string;
  readonly expr: (durations: Durations) => string;
}

export interface RuleGroup {
  readonly name: string;
  /** Left out: as often as Prometheus evaluates rules by default. */
  readonly every?: string;
  readonly rules: readonly (Alert | Recording)[];
}

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** @param shortenedBy 1: as in production */
export function durationsDividedBy(shortenedBy: number): Durations {
  const msOf = (text: string) => {
    const [, count, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(text) ?? [];
    if (unit === undefined) throw new Error(`"${text}" is not a duration such as 5m`);
    return Math.max(1, Math.round((Number(count) * UNITS[unit as keyof typeof UNITS]) / shortenedBy));
  };
  return {
    of: (text) => (shortenedBy === 1 ? text : `${msOf(text)}ms`),
    seconds: (text) => msOf(text) / 1_000,
  };
}
