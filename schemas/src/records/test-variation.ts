/** How the request of a test event deviates from that of an event: by which a receiver's checks are tried. */
export const TEST_VARIATIONS = [
  /** Signed, but with a timestamp ten minutes ago: a receiver must refuse it as a replay. */
  'stale',
  /** Signed two minutes ago, as if it had been held up: a receiver must accept it. */
  'late',
  /** With a signature of another body. */
  'forged',
  /** Without a signature. */
  'unsigned',
  /** With a signature by an unknown key before the valid one, as during a rotation. */
  'rotated',
] as const;
export type TestVariation = (typeof TEST_VARIATIONS)[number];

export function testVariation(text: string | undefined): TestVariation | undefined {
  return TEST_VARIATIONS.find((one) => one === text);
}

/** How much older than the present the timestamp of each is, in seconds; those left out: 0. */
export const VARIATION_AGE_SECONDS: Partial<Record<TestVariation, number>> = { stale: 600, late: 120 };
