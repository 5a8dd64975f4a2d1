/** The state of a running operation, from which another control plane can resume it after a kill. */
import type { Operation } from '@databridge/schemas/records/operations';
import type { Commit } from '../subscriptions/changes.ts';

/** The parts of an operation's record that change while it runs. */
export type Noted = Partial<Pick<Operation, 'step' | 'progress' | 'checkpoint'>>;

export interface Run {
  /** The operation's id; undefined if no record is kept. */
  readonly id: string | undefined;
  /** The checkpoint of the previous run, which was interrupted. Empty in the first run. */
  readonly checkpoint: Readonly<Record<string, unknown>>;
  /** Aborted when this control plane stops, or is not the writer any more. */
  readonly signal: AbortSignal;
  /** Writes the record at once. */
  note(noted: Noted): Promise<void>;
  /** Writes the record if the last progress was written a while ago. */
  reportProgress(done: number, noted?: Noted): Promise<void>;
  /** @returns commits changes and the record in one transaction */
  noting(commit: Commit, noted: Noted): Commit;
  /** @returns commits changes and the operation's end in one transaction: what the changes end is never done twice */
  finishing(commit: Commit, result: object): Commit;
  /** Returns whether the operation ends with this error, instead of being resumed later. */
  isFinal(error: unknown): boolean;
}

/** For callers that keep no record: tests, and commands that end at once. */
export const untracked: Run = {
  id: undefined,
  checkpoint: {},
  signal: new AbortController().signal,
  note: async () => undefined,
  reportProgress: async () => undefined,
  noting: (commit) => commit,
  finishing: (commit) => commit,
  isFinal: () => true,
};
