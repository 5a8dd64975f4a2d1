import type { ApiClient } from './api/api-client.ts';
import type { Environment } from './credentials.ts';

/** What every command works with. */
export interface Cli {
  readonly env: Environment;
  /** @throws {DatabridgeError} DB_CONFIG_INVALID when it is not known where the API is, or who we are */
  api(): ApiClient;
  /** It is done, but not all is well: exit code 1. */
  notWell(): void;
}

/** The path of a customer's, below `/v1`. */
export const pathOf = (customer: string, ...more: readonly string[]): string =>
  ['/subscriptions', ...[customer, ...more].map(encodeURIComponent)].join('/');
