import { DatabridgeError, type ErrorCode, messageOf } from '@databridge/kernel/errors';
import { CommanderError } from 'commander';
import { ApiError, UnreachableError } from './api/api-error.ts';
import { DeclinedError } from './output/terminal.ts';

/** The meaning of each, as `--help` and docs/cli.md state it. */
export const EXIT_CODES = {
  0: 'success, and nothing is wrong',
  1: 'failed, or something is wrong: differences, events unaccounted for, a filter that does not match',
  2: 'the arguments, the file or the configuration are invalid, or the object does not exist: retrying will not help',
  3: 'not authenticated, or not allowed',
  4: 'conflict: the object was modified meanwhile, or its state does not allow this',
  5: 'the API is unreachable or asks for patience: retry later',
  6: 'declined: the question was answered with no, and nothing was changed',
} as const;
export type ExitCode = keyof typeof EXIT_CODES;

const WRONG_INPUT: ReadonlySet<ErrorCode> = new Set([
  'DB_CONFIG_INVALID',
  'DB_INPUT_INVALID',
  'DB_KEY_RING_INVALID',
  'DB_NOT_FOUND',
]);

const BY_STATUS: Readonly<Record<number, ExitCode>> = {
  ...{ 400: 2, 404: 2, 413: 2, 415: 2, 422: 2 },
  ...{ 401: 3, 403: 3 },
  ...{ 409: 4, 412: 4, 428: 4 },
  ...{ 429: 5, 502: 5, 503: 5, 504: 5 },
};

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof UnreachableError) return 5;
  if (error instanceof DeclinedError) return 6;
  if (error instanceof ApiError) return BY_STATUS[error.status] ?? 1;
  return error instanceof DatabridgeError && WRONG_INPUT.has(error.code) ? 2 : 1;
}

/** The error, and what to do about it. */
export function adviceOn(error: unknown): string {
  if (error instanceof UnreachableError) {
    return `${error.message}. Is the control plane running, and is the address right? DATABRIDGE_URL or "databridge login" sets it.`;
  }
  if (!(error instanceof ApiError)) return messageOf(error);
  const lines = [error.message, ...error.errors.map(({ pointer, detail }) => `  ${pointer || '/'}: ${detail}`)];
  if (error.status === 401) lines.push('Set DATABRIDGE_TOKEN, or run "databridge login <url>", to use another token.');
  if (error.status === 412)
    lines.push('The subscription was modified meanwhile: run "databridge subscriptions diff" to see how, then retry.');
  return lines.join('\n');
}
