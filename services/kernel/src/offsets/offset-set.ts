/**
 * Offsets done beyond the committed one, packed for Kafka's commit metadata: alternating lengths of runs not done
 * and done, counted from the committed offset, as LEB128 varints in base64url, behind a version letter.
 *
 *     committed 100, done 101-103 and 107  →  [1, 3, 3, 1]  →  "AAQMDAQ"
 */

/** Kafka's `offset.metadata.max.bytes` default, which kafkajs and the broker count in characters. */
export const MAX_METADATA_CHARS = 4_096;

const VERSION = 'A';

/** Half-open: `from` is done, `to` is not. */
export interface OffsetRange {
  readonly from: number;
  readonly to: number;
}

/** @param ranges ascending, disjoint, none touching, all above `committed` */
export function encodeOffsetSet(committed: number, ranges: readonly OffsetRange[]): string {
  if (ranges.length === 0) return '';
  const bytes: number[] = [];
  let position = committed;
  for (const { from, to } of ranges) {
    pushVarint(bytes, from - position);
    pushVarint(bytes, to - from);
    position = to;
  }
  return VERSION + Buffer.from(bytes).toString('base64url');
}

/**
 * Metadata that another program wrote, or that is damaged, counts as no ranges: the offsets that it named are then
 * delivered again.
 */
export function decodeOffsetSet(committed: number, metadata: string | null): OffsetRange[] {
  if (metadata === null || !/^A[A-Za-z0-9_-]+$/.test(metadata)) return [];
  const lengths = readVarints(Buffer.from(metadata.slice(1), 'base64url'));
  if (lengths === undefined || lengths.length % 2 !== 0) return [];
  const ranges: OffsetRange[] = [];
  let position = committed;
  for (let i = 0; i < lengths.length; i += 2) {
    const from = position + (lengths[i] as number);
    const to = from + (lengths[i + 1] as number);
    if (from === position || to === from || !Number.isSafeInteger(to)) return [];
    ranges.push({ from, to });
    position = to;
  }
  return ranges;
}

function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
}

function readVarints(bytes: Buffer): number[] | undefined {
  const values: number[] = [];
  let value = 0;
  let scale = 1;
  for (const byte of bytes) {
    value += (byte % 0x80) * scale;
    if (byte >= 0x80) {
      scale *= 0x80;
      if (scale > Number.MAX_SAFE_INTEGER) return undefined;
      continue;
    }
    values.push(value);
    value = 0;
    scale = 1;
  }
  return scale === 1 ? values : undefined;
}
