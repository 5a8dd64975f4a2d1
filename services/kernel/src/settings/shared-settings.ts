/**
 * Settings that delivery workers and control planes must have in common: the control plane states them, and delivery
 * applies them.
 */
import { DEFAULT_RETRY_PLAN, parseRetryPlan, type RetryPlan } from '@databridge/schemas/retries/retry-plan';
import { z } from 'zod';
import { type EgressVariables, egressVariables } from '../egress/egress-settings.ts';
import { duration } from './config.ts';

export const sharedVariables = {
  ...egressVariables,
  /** Retry lanes in order, `delay*times`; the sum of their waits must fit the window. */
  RETRY_PLAN: z.string().default(DEFAULT_RETRY_PLAN),
  /** An event is given up, or the customer disabled, once this time has passed since the event's first attempt. */
  RETRY_WINDOW: duration('24h', '1s'),
} as const;

/** For a schema with {@link sharedVariables}: parses its `RETRY_PLAN` into the plan, within the window. */
export function withRetryPlan<V extends { readonly RETRY_PLAN: string; readonly RETRY_WINDOW: number }>(
  variables: V,
  context: z.RefinementCtx<V>,
): Omit<V, 'RETRY_PLAN'> & { readonly RETRY_PLAN: RetryPlan } {
  const plan = parseRetryPlan(variables.RETRY_PLAN, variables.RETRY_WINDOW);
  if (!('mistake' in plan)) return { ...variables, RETRY_PLAN: plan };
  context.addIssue({ code: 'custom', path: ['RETRY_PLAN'], message: plan.mistake });
  return z.NEVER;
}

export interface SharedSettings extends EgressVariables {
  readonly RETRY_PLAN: RetryPlan;
}

/** Each setting in one notation, whatever its order and blanks are, as a worker reports it. */
export function statedSettings(config: SharedSettings): Record<string, string> {
  const { steps, windowMs } = config.RETRY_PLAN;
  return {
    RETRY_PLAN: steps.map(({ delay, times }) => `${delay}*${times}`).join(','),
    RETRY_WINDOW: `${windowMs / 1_000}s`,
    EGRESS_ALLOW_CIDRS: config.EGRESS_ALLOW_CIDRS.toSorted().join(','),
    EGRESS_DENY_CIDRS: config.EGRESS_DENY_CIDRS.toSorted().join(','),
    EGRESS_ALLOW_HTTP: String(config.EGRESS_ALLOW_HTTP),
  };
}

/** A setting that differs between two processes. */
export interface Disagreement {
  readonly setting: string;
  readonly ours: string;
  readonly theirs: string;
}

/** @param theirs settings that a process of another version does not state are not compared */
export function disagreements(
  ours: Readonly<Record<string, string>>,
  theirs: Readonly<Record<string, string>>,
): Disagreement[] {
  return Object.entries(ours).flatMap(([setting, own]) => {
    const other = theirs[setting];
    return other === undefined || other === own ? [] : [{ setting, ours: own, theirs: other }];
  });
}
