import type { Logger } from '../../../log.ts';
import { type Clock, systemClock } from '../../../time/clock.ts';
import type { GroupQuestions } from './group-questions.ts';

/**
 * The present member of a customer's group:
 * - `nobody`
 * - `gone` a worker that is not in the workers' group any more: it was killed, cut off or frozen
 * - `working` a running worker: it finishes its requests in flight, and leaves
 * - `foreign` no lane reader: an earlier release's consumer, or a tool
 */
export type PresentMember =
  | { readonly kind: 'nobody' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'working'; readonly who: string }
  | { readonly kind: 'foreign'; readonly who: string };

interface LivingWorkers {
  readonly ids: ReadonlySet<string>;
  /** True if no worker is joining: a worker that is not among the members is gone. */
  readonly isSettled: boolean;
}

const SETTLED: ReadonlySet<string> = new Set(['Stable', 'Empty', 'Dead']);

/** Many customers start at the same time: they share the answer. */
const WORKERS_GOOD_FOR_MS = 250;

/** Finds the member of a group before it is taken over: a worker that is still running must be allowed to finish. */
export class PresentMembers {
  readonly #questions: Pick<GroupQuestions, 'describe'>;
  readonly #workersGroup: string;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #workers: { readonly found: Promise<LivingWorkers>; readonly atMs: number } | undefined;

  /** @param workersGroup the group of all running workers */
  constructor(
    questions: Pick<GroupQuestions, 'describe'>,
    workersGroup: string,
    clock: Pick<Clock, 'monotonicMs'> = systemClock,
  ) {
    this.#questions = questions;
    this.#workersGroup = workersGroup;
    this.#clock = clock;
  }

  /** @param ourWorker our own member id among the workers: a membership of our own earlier attempt does not block */
  async of(groupId: string, ourWorker: string): Promise<PresentMember> {
    const { state, members } = await this.#questions.describe(groupId);
    const [member] = members;
    if (state === 'Empty' || state === 'Dead' || member === undefined) return { kind: 'nobody' };
    const stranger = members.find(({ claim }) => claim === undefined);
    if (stranger) return { kind: 'foreign', who: stranger.clientId };
    if (member.claim?.worker === ourWorker) return { kind: 'gone' };
    const workers = await this.#livingWorkers();
    return workers.ids.has(member.claim?.worker ?? '') ? { kind: 'working', who: member.clientId } : { kind: 'gone' };
  }

  /**
   * The member that a dead worker left behind, in a group that this worker does not run.
   * @param ourWorker our own member id among the workers; if omitted, we are not a worker
   */
  async deadMemberOf(groupId: string, ourWorker?: string): Promise<string | undefined> {
    const { members } = await this.#questions.describe(groupId);
    const claimed = members.filter(({ claim }) => claim !== undefined && claim.worker !== ourWorker);
    if (claimed.length === 0) return undefined;
    const workers = await this.#livingWorkers();
    // If we are not among them, or while they join, the answer says nothing about the others either.
    if (ourWorker === undefined ? !workers.isSettled : !workers.ids.has(ourWorker)) return undefined;
    return claimed.find(({ claim }) => !workers.ids.has(claim?.worker ?? ''))?.memberId;
  }

  async #livingWorkers(): Promise<LivingWorkers> {
    const nowMs = this.#clock.monotonicMs();
    if (this.#workers === undefined || nowMs - this.#workers.atMs > WORKERS_GOOD_FOR_MS) {
      const found = this.#questions.describe(this.#workersGroup).then(({ state, members }) => {
        const ids = new Set(members.map(({ memberId }) => memberId));
        return { ids, isSettled: SETTLED.has(state) };
      });
      found.catch(() => {
        this.#workers = undefined;
      });
      this.#workers = { found, atMs: nowMs };
    }
    return await this.#workers.found;
  }
}

const LINE_EVERY_MS = 10_000;

/**
 * One wait for a group's present member. A running worker is allowed to finish; members of another kind are never
 * removed.
 */
export class Handover {
  readonly #groupId: string;
  readonly #log: Logger;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #withinMs: number;
  #sinceMs: number | undefined;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  /** @param withinMs how long a running worker may take */
  constructor(groupId: string, log: Logger, clock: Pick<Clock, 'monotonicMs'>, withinMs: number) {
    this.#groupId = groupId;
    this.#log = log;
    this.#clock = clock;
    this.#withinMs = withinMs;
  }

  /** Measures and logs the wait. @returns whether the place in the group must not be taken yet */
  checkWait(member: PresentMember): boolean {
    if (member.kind === 'nobody' || member.kind === 'gone') {
      this.#sinceMs = undefined;
      return false;
    }
    const nowMs = this.#clock.monotonicMs();
    this.#sinceMs ??= nowMs;
    const waitedMs = Math.round(nowMs - this.#sinceMs);
    const line = { groupId: this.#groupId, member: member.who, waitedMs };
    if (member.kind === 'working') {
      if (waitedMs <= this.#withinMs) return true;
      this.#log.warn({ event: 'handover_late', ...line }, 'worker did not hand over in time; taking its place');
      this.#sinceMs = undefined;
      return false;
    }
    if (nowMs - this.#toldAtMs > LINE_EVERY_MS) {
      this.#toldAtMs = nowMs;
      this.#log.warn({ event: 'group_foreign_member', ...line }, 'group has a foreign member; waiting until it leaves');
    }
    return true;
  }
}
