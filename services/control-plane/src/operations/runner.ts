import { randomUUID } from 'node:crypto';
import { DatabridgeError, type ErrorCode, messageOf } from '@databridge/kernel/errors';
import { backoffMs } from '@databridge/kernel/time/backoff';
import { systemClock } from '@databridge/kernel/time/clock';
import { pause } from '@databridge/kernel/time/pause';
import type { Actor } from '@databridge/schemas/records/audit';
import type { Operation, OperationKind } from '@databridge/schemas/records/operations';
import type { ControlPlaneContext } from '../context.ts';
import type { Change, Commit, RememberedRequest } from '../subscriptions/changes.ts';
import { SomethingWaits } from '../subscriptions/delete-customer.ts';
import type { Writer } from '../subscriptions/writer.ts';
import { KINDS } from './kinds.ts';
import type { Noted, Run } from './run.ts';

export interface Asked {
  readonly kind: OperationKind;
  readonly customer?: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** The amount of work, if it is known. */
  readonly total?: number;
  /** The text for the audit log; if omitted, the operation's own changes are logged. */
  readonly audit?: Change;
  /** The request that began it, if it has an idempotency key. */
  readonly remembered?: RememberedRequest;
}

export type RunnerWriter = Pick<Writer, 'change' | 'isOwner'>;

/** An operation that failed: its problem, as the API answers it. */
export class OperationFailed extends DatabridgeError {
  readonly status: number;
  /** The number of waiting records, if that is the problem. */
  readonly waiting: Readonly<Record<string, number>> | undefined;

  constructor({ code, detail, status, waiting }: NonNullable<Operation['problem']>) {
    super(code as ErrorCode, detail);
    this.status = status;
    this.waiting = waiting;
  }

  override get httpStatus(): number {
    return this.status;
  }
}

const PROGRESS_EVERY_MS = 1_000;
const BACKOFF = { firstMs: 500, longestMs: 10_000 };

/**
 * Runs long operations, each of them a record in Kafka:
 *
 *     asked ─▶ running ─▶ done
 *                │ ▲ └──▶ failed: the request was wrong, or the state does not allow it
 *                └─┘ Kafka is unavailable, or this control plane ends: resumed from the checkpoint, here or on another one
 *
 * Only the control plane that writes runs them. One that takes over reads all records and carries on with what runs.
 */
export class OperationRunner {
  readonly #writer: RunnerWriter;
  readonly #context: ControlPlaneContext;
  readonly #running = new Map<string, { readonly ended: Promise<Operation>; latest: Operation }>();
  readonly #stopped = new AbortController();

  constructor(writer: RunnerWriter, context: ControlPlaneContext) {
    this.#writer = writer;
    this.#context = context;
  }

  /** Writes the record, then runs it. @returns the record as it was first written */
  async begin(by: Actor, { kind, customer, input, total, audit, remembered }: Asked): Promise<Operation> {
    const nowMs = systemClock.nowMs();
    const operation: Operation = {
      ...{ id: randomUUID(), kind, by, input: { ...input }, startedAtMs: nowMs, updatedAtMs: nowMs },
      ...(customer !== undefined && { customer }),
      ...{ state: 'running', step: 'asked', checkpoint: {} },
      ...(total !== undefined && { progress: { done: 0, total } }),
    };
    const note = remembered && {
      remembered: { ...remembered, record: { ...remembered.record, operation: operation.id } },
    };
    await this.#writer.change(by, queueOf(operation), (commit) =>
      commit([...(audit === undefined ? [] : [audit]), { operation }, ...(note === undefined ? [] : [note])]),
    );
    this.#carryOn(operation);
    return operation;
  }

  /** Resumes all running operations that do not run here yet. */
  async takeUp(): Promise<void> {
    for (const operation of (await this.#context.operations()).values()) {
      if (operation.state !== 'running' || this.#running.has(operation.id)) continue;
      this.#context.log.info({ operation: operation.id, kind: operation.kind }, 'operation resumed');
      this.#carryOn(operation);
    }
  }

  /** Waits for an operation that runs here: returns its record when it has ended, or after that time. */
  async settled(operation: Operation, withinMs: number): Promise<Operation> {
    const running = this.#running.get(operation.id);
    if (running === undefined) return operation;
    const over = new AbortController();
    try {
      const late = pause(withinMs, { signal: over.signal }).then(() => running.latest);
      // biome-ignore lint/plugin: an operation ends, and its promise with it.
      return await Promise.race([running.ended, late]);
    } finally {
      over.abort();
    }
  }

  /** Running operations keep their records; the next writer resumes them. */
  stop(): void {
    this.#stopped.abort(
      new DatabridgeError(
        'DB_NOT_THE_WRITER',
        'This control plane is shutting down; the operation continues on another one',
      ),
    );
  }

  #carryOn(operation: Operation): void {
    const entry = { latest: operation, ended: Promise.resolve(operation) };
    this.#running.set(operation.id, entry);
    entry.ended = this.#runToItsEnd(operation, (latest) => {
      entry.latest = latest;
    }).finally(() => this.#running.delete(operation.id));
    entry.ended.catch(() => undefined);
  }

  async #runToItsEnd(operation: Operation, onChange: (latest: Operation) => void): Promise<Operation> {
    let current = operation;
    for (let failures = 1; ; failures++) {
      const tracked = new TrackedRun(current, this.#stopped.signal, (latest) => {
        current = latest;
        onChange(latest);
      });
      try {
        return await this.#writer.change(operation.by, queueOf(operation), (commit) => this.#run(tracked, commit));
      } catch (error) {
        if (this.#stopped.signal.aborted || !this.#writer.isOwner) throw error;
        const retryInMs = backoffMs(failures, BACKOFF);
        this.#context.log.warn(
          { event: 'operation_retried', err: error, operation: operation.id, kind: operation.kind, retryInMs },
          `operation is tried again: ${messageOf(error)}`,
        );
        onChange({ ...current, waitsFor: messageOf(error) });
        await pause(retryInMs, { signal: this.#stopped.signal });
        this.#stopped.signal.throwIfAborted();
      }
    }
  }

  async #run(run: TrackedRun, commit: Commit): Promise<Operation> {
    run.use(commit);
    const { kind } = run.operation;
    try {
      const result = await KINDS[kind](run.operation, {
        context: { ...this.#context, commit },
        run,
        change: (customer, change) =>
          this.#writer.change(run.operation.by, customer, (inner) => change({ ...this.#context, commit: inner })),
      });
      if (run.operation.state === 'running') await run.end({ state: 'done', result: { ...result } });
    } catch (error) {
      if (!run.isFinal(error)) throw error;
      const known = error instanceof DatabridgeError ? error : undefined;
      if (known === undefined)
        this.#context.log.error(
          { event: 'operation_failed', err: error, operation: run.operation.id },
          'operation failed',
        );
      const detail = known?.message ?? 'Internal error; the service log has the details';
      const problem = {
        ...{ code: known?.code ?? 'DB_INTERNAL', status: known?.httpStatus ?? 500, detail },
        ...(error instanceof SomethingWaits && { waiting: { ...error.waiting } }),
      };
      await run.end({ state: 'failed', problem });
    }
    return run.operation;
  }
}

/**
 * The keys of operations that must not run at the same time: those that change a customer's state, and that customer's
 * other changes.
 */
function queueOf({ kind, customer, id }: Operation): string {
  return customer !== undefined && (kind === 'rewind' || kind === 'delete') ? customer : `operation ${id}`;
}

class TrackedRun implements Run {
  readonly checkpoint: Operation['checkpoint'];
  readonly signal: AbortSignal;
  #operation: Operation;
  #commit: Commit | undefined;
  #writtenAtMs = Number.NEGATIVE_INFINITY;
  readonly #onChange: (latest: Operation) => void;

  constructor(operation: Operation, signal: AbortSignal, onChange: (latest: Operation) => void) {
    const { waitsFor: _, ...rest } = operation;
    this.#operation = rest;
    this.checkpoint = operation.checkpoint;
    this.signal = signal;
    this.#onChange = onChange;
  }

  get id(): string {
    return this.#operation.id;
  }

  get operation(): Operation {
    return this.#operation;
  }

  use(commit: Commit): void {
    this.#commit = commit;
  }

  async note(noted: Noted): Promise<void> {
    await this.#write((changes) => this.#commit?.(changes) ?? Promise.resolve(), [], noted);
  }

  async reportProgress(done: number, noted: Noted = {}): Promise<void> {
    this.signal.throwIfAborted();
    const all = { ...noted, progress: { ...this.#operation.progress, done } };
    if (systemClock.monotonicMs() - this.#writtenAtMs >= PROGRESS_EVERY_MS) await this.note(all);
    else this.#set({ ...this.#operation, ...all });
  }

  noting(commit: Commit, noted: Noted): Commit {
    return (changes) => this.#write(commit, changes, noted);
  }

  finishing(commit: Commit, result: object): Commit {
    return (changes) => this.#write(commit, changes, this.#ended({ state: 'done', result: { ...result } }));
  }

  async end(how: Pick<Operation, 'state' | 'result' | 'problem'>): Promise<void> {
    await this.#write((changes) => this.#commit?.(changes) ?? Promise.resolve(), [], this.#ended(how));
  }

  #ended(how: Pick<Operation, 'state' | 'result' | 'problem'>): Partial<Operation> {
    // The record is kept for days: it must not name what was erased.
    const input = this.#operation.kind === 'erase' ? { input: {} } : {};
    return { ...how, ...input, step: how.state, finishedAtMs: systemClock.nowMs() };
  }

  isFinal(error: unknown): boolean {
    if (this.signal.aborted) return false;
    return !(error instanceof DatabridgeError && (error.retryable || CARRIED_ON.has(error.code)));
  }

  async #write(commit: Commit, changes: Parameters<Commit>[0], noted: Partial<Operation>): Promise<void> {
    const operation = { ...this.#operation, ...noted, updatedAtMs: systemClock.nowMs() };
    await commit([...changes, { operation }]);
    this.#writtenAtMs = systemClock.monotonicMs();
    this.#set(operation);
  }

  #set(operation: Operation): void {
    this.#operation = operation;
    this.#onChange(operation);
  }
}

/** The producer belongs to a term that has ended: the next term resumes the operation. */
const CARRIED_ON: ReadonlySet<ErrorCode> = new Set(['DB_KAFKA_CLOSED', 'DB_KAFKA_FENCED', 'DB_NOT_THE_WRITER']);
