import { DatabridgeError, type ErrorCode, messageOf } from '@databridge/kernel/errors';
import { CommanderError } from 'commander';
import { ApiError, UnreachableError } from './api/api-error.ts';

/** What each means, as `--help` and docs/cli.md say it. */
export const EXIT_CODES = {
  0: 'done, and all is well',
  1: 'failed, or not all is well: differences, events unaccounted for, a filter that does not match',
  2: 'what was typed, the file or the configuration is wrong, or there is no such thing: trying again will not help',
  3: 'the API does not know you, or you may not',
  4: 'it is not as you thought: somebody changed it meanwhile, or its state does not allow that',
  5: 'the API can not be reached, or asks for patience: try again later',
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
  if (error instanceof ApiError) return BY_STATUS[error.status] ?? 1;
  return error instanceof DatabridgeError && WRONG_INPUT.has(error.code) ? 2 : 1;
}

/** What went wrong, and what to do about it. */
export function adviceOn(error: unknown): string {
  if (error instanceof UnreachableError) {
    return `${error.message}. Is the control plane running? DATABRIDGE_URL, or "databridge login", says where it is.`;
  }
  if (!(error instanceof ApiError)) return messageOf(error);
  const lines = [error.message, ...error.errors.map(({ pointer, detail }) => `  ${pointer || '/'}: ${detail}`)];
  if (error.status === 401) lines.push('"databridge login <url>" takes another token, as does DATABRIDGE_TOKEN.');
  if (error.status === 412)
    lines.push('Somebody changed it meanwhile. Look again ("databridge subscriptions diff"), and decide again.');
  return lines.join('\n');
}
