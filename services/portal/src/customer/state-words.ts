/** Describes a customer's state in words, from its status only. */
import type { Status } from '@databridge/schemas/api/types';
import { lengthOf, relativeTime } from '../time/words.ts';

export type Tone = 'good' | 'busy' | 'warning' | 'bad' | 'idle';

/** Each tone has a shape, since not everybody can tell colors apart. */
export const SHAPES: Readonly<Record<Tone, string>> = { good: '●', busy: '◐', warning: '▲', bad: '■', idle: '○' };

export interface StateWords {
  readonly tone: Tone;
  /** One or two words, for a table. */
  readonly short: string;
  /** A sentence, for the customer. */
  readonly sentence: string;
  /** Customers with the highest number need help first. */
  readonly urgency: number;
}

const HELD_WORDS = {
  deauthorized: 'your API does not accept our credentials',
  refusals: 'your API refuses every event',
  blocked: 'nothing may be sent to that address',
} as const;

export function stateWords(status: Status, nowMs: number): StateWords {
  const { state, worker } = status;
  if (state === 'disabled') return disabled(status);
  if (state === 'paused' && status.awaitsApproval === true) {
    const sentence = 'Paused: an operator has to approve the set-up. Until then, only test events are sent.';
    return { tone: 'warning', short: 'Awaits approval', sentence, urgency: 30 };
  }
  if (state === 'paused') {
    return { tone: 'idle', short: 'Paused', sentence: 'Paused: events wait until it is resumed.', urgency: 10 };
  }
  if (status.failing !== undefined) {
    return { tone: 'bad', short: 'Not running', sentence: `Not running: ${status.failing}.`, urgency: 95 };
  }
  if (status.runBy === undefined) {
    return { tone: 'bad', short: 'Not running', sentence: 'Not running: no worker has taken it yet.', urgency: 94 };
  }
  if (worker?.held !== undefined) {
    const { because, detail, sinceMs } = worker.held;
    const sentence = `Held since ${relativeTime(sinceMs, nowMs)}: ${HELD_WORDS[because]} (${detail}).`;
    return { tone: 'bad', short: 'Held', sentence: `${sentence}${deadline(status, nowMs)}`, urgency: 90 };
  }
  if (worker?.breaker === 'open' || worker?.breaker === 'half-open') {
    const sentence = `Waiting: your API fails, so one event at a time tries it.${deadline(status, nowMs)}`;
    return { tone: 'bad', short: 'Failing', sentence, urgency: 80 };
  }
  if (worker?.waitUntilMs !== undefined && worker.waitUntilMs > nowMs) {
    const sentence = `Waiting for ${lengthOf(worker.waitUntilMs - nowMs)}: your API asked to wait (Retry-After).`;
    return { tone: 'warning', short: 'Waiting', sentence, urgency: 40 };
  }
  return delivering(status, nowMs);
}

function disabled({ disabledBy, worker }: Status): StateWords {
  const sentence =
    disabledBy === 'worker'
      ? `Disabled: ${worker?.disabledBecause ?? 'no delivery succeeded for too long'}. Nothing is lost; enable it once your API works.`
      : 'Disabled by an operator. Nothing is lost.';
  return disabledBy === 'worker'
    ? { tone: 'bad', short: 'Disabled', sentence, urgency: 100 }
    : { tone: 'idle', short: 'Disabled by an operator', sentence, urgency: 20 };
}

function delivering(status: Status, nowMs: number): StateWords {
  if (status.disablesAtMs !== undefined) {
    const sentence = `Retrying: nothing was accepted since the oldest event began to fail.${deadline(status, nowMs)}`;
    return { tone: 'warning', short: 'Retrying', sentence, urgency: 60 };
  }
  const waiting = waitingIn(status);
  if (waiting === 0) return { tone: 'good', short: 'Delivering', sentence: 'Delivering: nothing waits.', urgency: 0 };
  const retrying = status.oldestWaiting === undefined ? '' : ', some of them to be tried again';
  const sentence = `Delivering: ${count(waiting, 'event')} ${waiting === 1 ? 'waits' : 'wait'}${retrying}.`;
  return { tone: 'busy', short: 'Delivering', sentence, urgency: retrying === '' ? 1 : 5 };
}

function deadline({ disablesAtMs }: Status, nowMs: number): string {
  if (disablesAtMs === undefined) return '';
  return ` Disabled in ${lengthOf(disablesAtMs - nowMs)} unless one delivery succeeds.`;
}

export const waitingIn = ({ lagByLane }: Pick<Status, 'lagByLane'>) =>
  Object.values(lagByLane).reduce((sum, one) => sum + one, 0);

export const count = (number: number, noun: string) =>
  `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;

/** The shares of its attempts and of its time that the oldest waiting event has used, each from 0 to 1. */
export function burnt({ oldestWaiting, budget }: Status, nowMs: number) {
  if (oldestWaiting === undefined) return undefined;
  return {
    attempts: Math.min(oldestWaiting.attempts / budget.maxAttempts, 1),
    time: Math.min(Math.max((nowMs - oldestWaiting.firstAtMs) / budget.windowMs, 0), 1),
  };
}
