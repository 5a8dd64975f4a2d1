/** What a row finds out, and how it stands beside its target. Pure. */

export interface Measure {
  readonly row: string;
  readonly name: string;
  readonly unit: string;
  /** One a round; all that is said of them is their median and how far they spread. */
  readonly values: readonly number[];
  readonly target?: Target;
  /** Why there are no values, or what one has to know to read them. */
  readonly note?: string;
}

export type Target = { readonly atLeast: number } | { readonly atMost: number };

export type Verdict = 'met' | 'missed' | 'far off' | 'not measured' | 'no target';

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The smallest value that at least `share` (0 to 1) of all are not above. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** Value by value: what one side did against the other in the same round. */
export function ratios(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.slice(0, theirs.length).map((value, round) => value / (theirs[round] as number));
}

/** How much of the target is reached: 1 and above is met, whichever way the target points. */
export function reached({ values, target }: Pick<Measure, 'values' | 'target'>): number | undefined {
  if (target === undefined || values.length === 0) return undefined;
  const value = median(values);
  if ('atLeast' in target) return value / target.atLeast;
  return value <= 0 ? Number.POSITIVE_INFINITY : target.atMost / value;
}

export function verdictOf(measure: Measure): Verdict {
  if (measure.values.length === 0) return 'not measured';
  const share = reached(measure);
  if (share === undefined) return 'no target';
  if (share >= 1) return 'met';
  return share >= 0.5 ? 'missed' : 'far off';
}

/** Three significant digits are more than a noisy machine can promise. */
export function format(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}

/** From the smallest to the largest value, or nothing where there is only one. */
export function spread(values: readonly number[]): string {
  return values.length < 2 ? '' : `${format(Math.min(...values))} – ${format(Math.max(...values))}`;
}

export function formatTarget(target: Target | undefined): string {
  if (target === undefined) return '';
  return 'atLeast' in target ? `≥ ${format(target.atLeast)}` : `≤ ${format(target.atMost)}`;
}
