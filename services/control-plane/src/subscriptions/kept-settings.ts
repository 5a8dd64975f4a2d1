import type { Subscription } from '@databridge/schemas/subscription/subscription';

/** Settings that a request may leave to the stored subscription: an operator may have paused a customer since. */
export const KEPT_SETTINGS = ['state', 'enableEpoch'] as const satisfies readonly (keyof Subscription)[];
export type KeptSetting = (typeof KEPT_SETTINGS)[number];

/** A subscription as somebody gives it. */
export interface FileSubscription {
  /** With defaults; secrets are in plain text. */
  readonly subscription: Subscription;
  /** The given values of {@link KEPT_SETTINGS}. */
  readonly sets: readonly KeptSetting[];
}
