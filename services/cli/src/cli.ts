import type { ApiClient } from './api/api-client.ts';
import type { Environment } from './credentials.ts';

/** The context of every command. */
export interface Cli {
  readonly env: Environment;
  /** @throws {DatabridgeError} DB_CONFIG_INVALID if the address of the API or the token is not known */
  api(): ApiClient;
  /** The command succeeded, but found problems: exit code 1. */
  notWell(): void;
}

/** The path of a customer, below `/v1`. */
export const pathOf = (customer: string, ...more: readonly string[]): string =>
  ['/subscriptions', ...[customer, ...more].map(encodeURIComponent)].join('/');
