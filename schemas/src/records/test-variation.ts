/** The deviations of a test event's request from that of an event, which test a receiver's checks. */
const TEST_VARIATIONS = [
  /** The test is signed, but with a timestamp ten minutes ago: a receiver must refuse it as a replay. */
  'stale',
  /** The test is signed two minutes ago, as after a delay: a receiver must accept it. */
  'late',
  /** The test has the signature of another body. */
  'forged',
  /** The test has no signature. */
  'unsigned',
  /** The test has a signature by an unknown key before the valid one, as during a rotation. */
  'rotated',
] as const;
export type TestVariation = (typeof TEST_VARIATIONS)[number];

export function testVariation(text: string | undefined): TestVariation | undefined {
  return TEST_VARIATIONS.find((one) => one === text);
}

/** The age of each variation's timestamp in seconds; the others have 0. */
export const VARIATION_AGE_SECONDS: Partial<Record<TestVariation, number>> = { stale: 600, late: 120 };
