/** Limits how far a customer may raise its own rate and concurrency: operators set the ceilings. */

export interface Ceilings {
  readonly ratePerSecond: number;
  readonly maxInFlight: number;
}

/** From this rate on, a delivery worker does not limit a customer. */
const DEFAULT_CEILINGS: Ceilings = { ratePerSecond: 10_000, maxInFlight: 256 };

/** The range of a stated rate: from one event in 1,000 seconds to what no destination reaches. */
export const RATE_RANGE = { min: 0.001, max: 1_000_000 } as const;

interface Limited {
  readonly ratePerSecond?: number;
  readonly maxInFlight: number;
  readonly ceilings?: Partial<Ceilings>;
}

/** A ceiling that is omitted is the default, or the operator's setting for the customer if that is higher. */
export function ceilingsOf({ ratePerSecond = 0, maxInFlight, ceilings = {} }: Limited): Ceilings {
  return {
    ratePerSecond: ceilings.ratePerSecond ?? Math.max(DEFAULT_CEILINGS.ratePerSecond, ratePerSecond),
    maxInFlight: ceilings.maxInFlight ?? Math.max(DEFAULT_CEILINGS.maxInFlight, maxInFlight),
  };
}

/** The subscription with the limits that apply to delivery: a ceiling that an operator lowers takes effect at once. */
export function withinCeilings<T extends Limited>(subscription: T): T {
  const ceilings = ceilingsOf(subscription);
  const { ratePerSecond: stated, ...rest } = subscription;
  // Earlier versions took any rate above 0, and with such a one the customer would get nothing, with no error to see.
  const ratePerSecond = Math.max(RATE_RANGE.min, Math.min(stated ?? Number.POSITIVE_INFINITY, ceilings.ratePerSecond));
  const isUnlimited = stated === undefined && ratePerSecond >= DEFAULT_CEILINGS.ratePerSecond;
  return {
    ...(rest as unknown as T),
    maxInFlight: Math.min(subscription.maxInFlight, ceilings.maxInFlight),
    ...(!isUnlimited && { ratePerSecond }),
  };
}
