/**
 * Long operations, as durable records: the request, the progress and the result. The control plane that writes resumes
 * those that are running.
 */
import { z } from 'zod';
import { decodeJson } from '../json-record.ts';

export const OPERATION_KINDS = [
  'rewind',
  'redeliver',
  'redrive',
  'discard',
  'redrive-quarantine',
  'discard-quarantine',
  'delete',
  'erase',
] as const;

const operation = z.object({
  id: z.string(),
  kind: z.enum(OPERATION_KINDS),
  /** Absent if it does not concern a single customer. */
  customer: z.string().optional(),
  by: z.object({ name: z.string(), role: z.string(), customer: z.string().optional() }),
  /** The input, as the API accepted it. */
  input: z.record(z.string(), z.unknown()),
  /** The time in ms since the epoch, by the control plane's clock. */
  startedAtMs: z.number(),
  updatedAtMs: z.number(),
  finishedAtMs: z.number().optional(),
  state: z.enum(['running', 'done', 'failed']),
  /** The step that it is at, or that it ended at. */
  step: z.string(),
  progress: z.object({ done: z.int(), total: z.int().optional() }).optional(),
  /** Why it waits for another try. */
  waitsFor: z.string().optional(),
  /** The state that is needed to resume it. Each kind of operation has its own form. */
  checkpoint: z.record(z.string(), z.unknown()),
  /** The result of an operation that is done. Each kind of operation has its own form. */
  result: z.record(z.string(), z.unknown()).optional(),
  /** The problem of an operation that failed. */
  problem: z
    .object({
      code: z.string(),
      status: z.int(),
      detail: z.string(),
      waiting: z.record(z.string(), z.int()).optional(),
    })
    .optional(),
});

export type Operation = z.infer<typeof operation>;
export type OperationKind = Operation['kind'];

export function encodeOperation(record: Operation): string {
  return JSON.stringify(record);
}

/** @returns undefined if the value is not an operation */
export function decodeOperation(value: Buffer): Operation | undefined {
  return decodeJson(operation, value);
}
