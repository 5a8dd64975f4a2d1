/** The thread of filter-trials.ts: compiles a filter and evaluates it on one event. */
import { isMainThread, parentPort } from 'node:worker_threads';
import { describedEventType } from '@databridge/schemas/event/event-types';
import { compileFilter } from '@databridge/schemas/subscription/filter/event-filter';

export interface FilterTrial {
  readonly filter: string;
  /** A name that exists. */
  readonly eventType: string;
  /** A JSON document with a member `event`. */
  readonly document: string;
}

export type TrialAnswer =
  /** The mistake, which completes "filter …". */
  | { readonly kind: 'invalid'; readonly mistake: string }
  | { readonly kind: 'matches' }
  | { readonly kind: 'differs'; readonly lacks?: string }
  | { readonly kind: 'failed'; readonly detail: string }
  /** The trial threw, which is a bug. */
  | { readonly kind: 'broken'; readonly message: string };

/** Sent once, when the thread has loaded its modules. */
export type ThreadMessage = 'ready' | TrialAnswer;

export function tryFilter({ filter, eventType, document }: FilterTrial): TrialAnswer {
  const type = describedEventType(eventType);
  if (type === undefined) return { kind: 'broken', message: `event type "${eventType}" is not known` };
  const compiled = compileFilter(filter, type.fields);
  if (!compiled.ok) return { kind: 'invalid', mistake: compiled.mistake };
  return compiled.filter.test(exactly(document).event);
}

/** A long has at most 19 digits; for longer numbers `BigInt` would only be slow. */
const WHOLE = /^-?\d{16,20}$/;

/**
 * `JSON.parse` rounds whole numbers beyond 2^53, and a filter that compares a long would then be tried on another
 * value.
 */
function exactly(document: string): { readonly event?: unknown } {
  const digits = (_key: string, value: unknown, { source }: { source?: string }) =>
    typeof value === 'number' && source !== undefined && !Number.isSafeInteger(value) && WHOLE.test(source)
      ? BigInt(source)
      : value;
  return JSON.parse(document, digits as (key: string, value: unknown) => unknown) as { event?: unknown };
}

function answered(trial: FilterTrial): TrialAnswer {
  try {
    return tryFilter(trial);
  } catch (error) {
    return { kind: 'broken', message: String(error) };
  }
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  const send = (message: ThreadMessage) => port.postMessage(message);
  port.on('message', (trial: FilterTrial) => send(answered(trial)));
  send('ready');
}
