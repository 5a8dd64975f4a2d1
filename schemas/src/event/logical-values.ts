/**
 * Renders values of logical types as the texts that customers receive. Every value has a text, so that no event fails
 * because of an impossible time. docs/payload.md lists the rules.
 */
import type { LogicalType } from './avro/avro-schema.ts';
import { bigDecimalOf } from './avro/avro-values.ts';

const MS_PER_DAY = 86_400_000n;

/** The units of a second, and their numbers of digits. */
const UNITS: Readonly<Record<string, readonly [perSecond: bigint, digits: number]>> = {
  millis: [1_000n, 3],
  micros: [1_000_000n, 6],
  nanos: [1_000_000_000n, 9],
};

/** @returns the text of a value of that logical type, decoded as its underlying type */
export function logicalText({ name, scale = 0 }: LogicalType): (value: unknown) => string {
  switch (name) {
    case 'decimal':
      return (value) => decimal(value as Buffer, scale);
    case 'big-decimal':
      return (value) => {
        const { unscaled, scale } = bigDecimalOf(value as Buffer);
        return decimal(unscaled, scale);
      };
    case 'uuid':
      return (value) => (typeof value === 'string' ? value : uuid(value as Buffer));
    case 'duration':
      return (value) => duration(value as Buffer);
    case 'date':
      return (value) => dateOfDay(BigInt(value as number));
  }
  const [perSecond, digits] = UNITS[name.slice(name.lastIndexOf('-') + 1)] ?? [1n, 0];
  if (name.startsWith('time-')) return (value) => time(BigInt(value as number | bigint), perSecond, digits);
  const zone = name.startsWith('local-') ? '' : 'Z';
  return (value) => {
    const units = BigInt(value as number | bigint);
    const perDay = (MS_PER_DAY / 1_000n) * perSecond;
    const day = floorDivide(units, perDay);
    return `${dateOfDay(day)}T${time(units - day * perDay, perSecond, digits)}${zone}`;
  };
}

/**
 * Every digit of the scale is shown, as in `12.50`. A negative scale, which big-decimals may have, becomes that number
 * of zeros.
 */
function decimal(bytes: Buffer, scale: number): string {
  const unsigned = bytes.length === 0 ? 0n : BigInt(`0x${bytes.toString('hex')}`);
  const unscaled = BigInt.asIntN(bytes.length * 8, unsigned);
  const sign = unscaled < 0n ? '-' : '';
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(Math.max(scale, 0) + 1, '0');
  const whole = digits.slice(0, digits.length - Math.max(scale, 0));
  if (scale < 0) return unscaled === 0n ? '0' : `${sign}${digits}${'0'.repeat(-scale)}`;
  return scale === 0 ? `${sign}${whole}` : `${sign}${whole}.${digits.slice(-scale)}`;
}

function uuid(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** ISO 8601: the three numbers of an Avro duration do not convert into each other. */
function duration(bytes: Buffer): string {
  const [months, days, millis] = [0, 4, 8].map((at) => bytes.readUInt32LE(at)) as [number, number, number];
  const seconds = `${Math.floor(millis / 1_000)}.${String(millis % 1_000).padStart(3, '0')}`;
  return `P${months}M${days}DT${seconds}S`;
}

/** `HH:MM:SS` with all digits of the unit; below zero with a sign, from a whole day on with more than 23 hours. */
function time(units: bigint, perSecond: bigint, digits: number): string {
  const sign = units < 0n ? '-' : '';
  const size = units < 0n ? -units : units;
  const seconds = size / perSecond;
  const two = (value: bigint) => String(value).padStart(2, '0');
  const clock = `${two(seconds / 3_600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}`;
  return `${sign}${clock}.${String(size % perSecond).padStart(digits, '0')}`;
}

/**
 * The Gregorian calendar in both directions, years as in ISO 8601: four digits, or a sign and at least six.
 * By eras of 400 years, each of which has 146,097 days; the year begins in March, so that a leap day is its last.
 */
function dateOfDay(day: bigint): string {
  const shifted = day + 719_468n;
  const era = floorDivide(shifted, 146_097n);
  const dayOfEra = Number(shifted - era * 146_097n);
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = BigInt(yearOfEra) + era * 400n + (month <= 2 ? 1n : 0n);
  return `${yearText(year)}-${String(month).padStart(2, '0')}-${String(dayOfMonth).padStart(2, '0')}`;
}

function yearText(year: bigint): string {
  if (year >= 0n && year <= 9_999n) return String(year).padStart(4, '0');
  return `${year < 0n ? '-' : '+'}${String(year < 0n ? -year : year).padStart(6, '0')}`;
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}
