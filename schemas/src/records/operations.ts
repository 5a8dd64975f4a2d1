/**
 * Long operations, as durable records: what was asked for, how far it is, what came of it. Whichever control plane
 * writes carries on with those that are running.
 */
import { z } from 'zod';

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
  /** Absent: it concerns no one customer. */
  customer: z.string().optional(),
  by: z.object({ name: z.string(), role: z.string(), customer: z.string().optional() }),
  /** What was asked for, as the API took it. */
  input: z.record(z.string(), z.unknown()),
  /** ms since the epoch, by the control plane's clock. */
  startedAtMs: z.number(),
  updatedAtMs: z.number(),
  finishedAtMs: z.number().optional(),
  state: z.enum(['running', 'done', 'failed']),
  /** What it does at the moment, or did last. */
  step: z.string(),
  progress: z.object({ done: z.int(), total: z.int().optional() }).optional(),
  /** Why it waits to be tried again. */
  waitsFor: z.string().optional(),
  /** What whoever carries on needs to know. Its shape is the kind's own. */
  checkpoint: z.record(z.string(), z.unknown()),
  /** Of one that is done: its shape is the kind's own. */
  result: z.record(z.string(), z.unknown()).optional(),
  /** Of one that failed. */
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

/** @returns undefined for what is not an operation */
export function decodeOperation(value: Buffer): Operation | undefined {
  try {
    return operation.parse(JSON.parse(value.toString('utf8')));
  } catch {
    return undefined;
  }
}
