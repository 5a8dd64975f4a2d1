/** Why a record is set aside. Services write these reasons into headers, and operators select records by them. */

/** Why fan-out puts an intake record into the quarantine. */
export const QUARANTINE_REASONS = [
  /** A record without a value: it contains no event. */
  'no-value',
  /** The record has more headers, or more bytes of headers, than are decoded. */
  'too-many-headers',
  /** The record represents a whole batch that is too large when decompressed. The intake contains it. */
  'batch-too-large',
  'malformed-frame',
  /** The registry does not know the schema id, and did not learn of it in time. */
  'unknown-schema',
  /** The writer's schema does not resolve to the pinned one. */
  'incompatible-schema',
  /** The data do not fit the schema that they name. */
  'malformed-data',
  /**
   * The record was compressed, or came from a topic with larger limits than ours: no copy of it can be written. The
   * intake still has it.
   */
  'too-large',
  /** An internal error occurred with this record three times in a row. */
  'internal',
] as const;
export type QuarantineReason = (typeof QUARANTINE_REASONS)[number];

/** Why delivery makes a record a dead letter. */
export const DEAD_LETTER_REASONS = [
  /** The destination refused this record. */
  'refused',
  /** Every attempt of the plan failed, and other records succeeded meanwhile. */
  'exhausted',
  /** An internal error occurred with this record three times in a row. */
  'internal',
] as const;
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number];
