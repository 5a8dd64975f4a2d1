/** A delivery worker's report of what it runs, which it writes every few seconds. */
import { z } from 'zod';
import { decodeJson } from '../json-record.ts';

const workerReport = z.object({
  worker: z.string(),
  version: z.string(),
  /** The time of its start in ms since the epoch, by the worker's clock. */
  startedAtMs: z.number(),
  /** The time of this report in ms since the epoch, by the worker's clock. */
  at: z.number(),
  /** The worker reports at least this often. */
  intervalMs: z.number(),
  /** Partitions of the subscriptions topic that it owns: it owns the customers in them. */
  partitions: z.array(z.int()),
  /** Customers that it runs, sorted. */
  customers: z.array(z.string()),
  /** Ids of the keys with which it can open secrets. Absent for a worker of an earlier version. */
  keyIds: z.array(z.string()).optional(),
  /** The AWS account of its own credentials. Absent until it assumes a customer's role. */
  awsAccount: z.string().optional(),
  /** Settings that the control plane must have in common, each in one notation. Absent for an earlier version. */
  settings: z.record(z.string(), z.string()).optional(),
  /** Customers that it owns and cannot run as they should be. */
  failing: z.array(z.object({ customer: z.string(), because: z.string() })),
});

export type WorkerReport = z.infer<typeof workerReport>;

export function encodeWorkerReport(report: WorkerReport): string {
  return JSON.stringify(report);
}

/** @returns undefined if the value is not a worker's report */
export function decodeWorkerReport(value: Buffer): WorkerReport | undefined {
  return decodeJson(workerReport, value);
}
