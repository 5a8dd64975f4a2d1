import type { Measure } from '../measure.ts';
import type { Scale } from '../scale.ts';

export interface RowContext {
  readonly scale: Scale;
  /** Where our processes leave their CPU profiles, if they are to be profiled. */
  readonly profileDir?: string | undefined;
  /** One line on what is going on. */
  say(text: string): void;
}

/** Measures one thing, on a stand of its own. */
export type Row = (context: RowContext) => Promise<Measure[]>;

/** Flags for a service whose profile is wanted. */
export function profileFlags({ profileDir }: RowContext, name: string): string[] {
  return profileDir === undefined
    ? []
    : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`, `--cpu-prof-name=${name}.cpuprofile`];
}
