import { durationMs } from '@databridge/kernel/duration-ms';
import { InvalidArgumentError } from 'commander';

export function parseOffset(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('An offset is a whole number.');
  return Number(text);
}

export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('That is no number of them.');
  return Number(text);
}

export function parseTime(text: string): Date {
  const agoMs = durationMs(text);
  const time = agoMs === undefined ? new Date(text) : new Date(Date.now() - agoMs);
  if (Number.isNaN(time.getTime())) throw new InvalidArgumentError('Write 2026-01-31T12:00Z, or 24h for a day ago.');
  return time;
}

/** `--reason a --reason b`, one at a time: a customer's name may follow. */
export const collect = (text: string, before: readonly string[] | undefined): string[] => [...(before ?? []), text];

/** @returns milliseconds */
export function parseDuration(text: string): number {
  const ms = durationMs(text);
  if (ms === undefined) throw new InvalidArgumentError('Write a duration with its unit, such as 500ms, 30s or 5m.');
  return ms;
}

export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError('A port is a number from 0 to 65535.');
  return port;
}
