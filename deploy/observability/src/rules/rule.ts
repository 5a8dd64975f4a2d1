/** The side on which the fault lies: it decides who is woken up. */
export type Fault = 'ours' | 'customer';

/** `critical` wakes somebody up, `warning` can wait for working hours, `info` is shown on dashboards only. */
export type Severity = 'critical' | 'warning' | 'info';

/**
 * Writes the durations of rules. A test divides all of them by a factor, and so runs the same rules in a real
 * Prometheus within a minute.
 */
export interface Durations {
  /** @param text such as `5m` @returns the duration for PromQL and the fields `for` and `keep_firing_for` */
  of(text: string): string;
  /** @returns the duration in seconds, to compare ages with */
  seconds(text: string): number;
}

export interface Alert {
  /** The name without the prefix `Databridge`. */
  readonly name: string;
  readonly severity: Severity;
  readonly fault: Fault;
  readonly expr: (durations: Durations) => string;
  /** The condition must hold this long; left out: the alert fires at once. */
  readonly for?: string;
  /** The alert stays this long after its condition ends: a handover or a failed scrape must not resolve it. */
  readonly keepFiringFor?: string;
  /** One sentence, with Prometheus' templates. */
  readonly summary: string;
  /** Tells what the alert means, and for whom. */
  readonly description: string;
  /** The uid of the dashboard that shows the cause. */
  readonly dashboard: string;
}

export interface Recording {
  readonly record: string;
  readonly expr: (durations: Durations) => string;
}

export interface RuleGroup {
  readonly name: string;
  /** The evaluation interval; left out: Prometheus' default. */
  readonly every?: string;
  readonly rules: readonly (Alert | Recording)[];
}

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** @param shortenedBy the divisor; 1 in production */
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
