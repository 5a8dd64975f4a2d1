/** Operations that take longer than a request: one request starts them, others follow them. */

import type { Operation } from '@databridge/schemas/api/types';
import { ask } from './client.ts';

const POLL_MS = 500;

/**
 * Follows an operation to its end; any other answer is its own result.
 * @throws {Error} with the reason of its failure
 */
export async function finished(
  answer: unknown,
  onProgress: (operation: Operation) => void = () => undefined,
): Promise<Readonly<Record<string, unknown>>> {
  if (!isOperation(answer)) return answer as Readonly<Record<string, unknown>>;
  for (let latest = answer; ; ) {
    if (latest.state === 'done') return latest.result ?? {};
    if (latest.state === 'failed')
      throw new Error(latest.problem?.detail ?? 'It failed; the service log has the details.');
    onProgress(latest);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    latest = await ask('GET /v1/operations/{id}', { params: { id: answer.id } });
  }
}

const isOperation = (answer: unknown): answer is Operation =>
  typeof answer === 'object' && answer !== null && 'kind' in answer && 'state' in answer && 'startedAtMs' in answer;
