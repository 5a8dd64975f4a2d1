/** Decides whether values of one logical type may be read as those of another. */
import type { AvroType } from './avro-schema.ts';

export function isDecimal(type: AvroType): type is Extract<AvroType, { logical?: unknown }> {
  return 'logical' in type && type.logical?.name === 'decimal';
}

/**
 * Read as another logical type, a value would be wrong by some factor, and nobody would notice.
 * @throws {Error} which says so
 */
export function refuseOtherMeaning(writer: AvroType, reader: AvroType): void {
  const written = 'logical' in writer ? writer.logical : undefined;
  const wanted = 'logical' in reader ? reader.logical : undefined;
  if (written === undefined || wanted === undefined) return;
  const isSame = written.name === wanted.name && (written.scale ?? 0) === (wanted.scale ?? 0);
  if (isSame && (written.precision ?? 0) <= (wanted.precision ?? 0)) return;
  const words = ({ name, precision, scale }: typeof written) =>
    precision === undefined ? name : `${name}(${precision}, ${scale})`;
  throw new Error(`a ${words(written)} can't be read as a ${words(wanted)}`);
}
