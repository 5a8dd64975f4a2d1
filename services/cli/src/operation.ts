/** Long operations: begun, watched with their progress, and left or watched again at any time. */
import { pause } from '@databridge/kernel/time/pause';
import type { Operation } from '@databridge/schemas/api/types';
import type { ApiClient } from './api/api-client.ts';
import { ApiError } from './api/api-error.ts';

const ASK_EVERY_MS = 500;

/**
 * Begins an operation and waits for its end. Ctrl-C ends the waiting, not the operation, and says how to come back.
 * @returns its result
 * @throws {ApiError} with the problem of one that failed
 */
export async function operate<T>(
  api: ApiClient,
  method: 'POST' | 'DELETE',
  path: string,
  asked: {
    readonly body?: unknown;
    readonly query?: Record<string, string | undefined>;
    readonly headers?: Record<string, string>;
  },
): Promise<T> {
  const headers = { ...asked.headers, prefer: 'respond-async' };
  const { body } = await api.call<Operation | T>(method, path, { ...asked, headers });
  if (!isOperation(body)) return body;
  return (await watch(api, body)).result as T;
}

function isOperation(body: unknown): body is Operation {
  return typeof body === 'object' && body !== null && 'step' in body && 'kind' in body;
}

/** @throws {ApiError} with the problem of one that failed */
export async function watch(api: ApiClient, operation: Operation): Promise<Operation> {
  const leave = () => {
    process.stderr.write(
      `\nOperation ${operation.id} goes on. "databridge operations watch ${operation.id}" comes back to it.\n`,
    );
    process.exit(1);
  };
  process.once('SIGINT', leave);
  let latest = operation;
  let shown = '';
  try {
    while (latest.state === 'running') {
      const line = progressOf(latest);
      if (process.stderr.isTTY && line !== shown) process.stderr.write(`\r\u001b[K${line}`);
      shown = line;
      await pause(ASK_EVERY_MS);
      latest = await api.get<Operation>(`/operations/${latest.id}`);
    }
  } finally {
    process.off('SIGINT', leave);
    if (process.stderr.isTTY && shown !== '') process.stderr.write('\r\u001b[K');
  }
  if (latest.state === 'failed' && latest.problem !== undefined) {
    const { status, ...problem } = latest.problem;
    throw ApiError.of(status, JSON.stringify({ ...problem, status }));
  }
  return latest;
}

export function progressOf({ kind, customer, step, progress, waitsFor }: Operation): string {
  const { done, total } = progress ?? {};
  const count = done === undefined ? '' : `, ${done}${total === undefined ? '' : ` of ${total}`}`;
  return `${kind}${customer === undefined ? '' : ` ${customer}`}: ${step}${count}${waitsFor === undefined ? '' : `; waits: ${waitsFor}`}`;
}
