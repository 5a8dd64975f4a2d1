/** Ids that fit a terminal: lists show the beginnings of ids, and commands take them, as Git does with its commits. */
import { DatabridgeError } from '@databridge/kernel/errors';
import type { ApiClient, Query } from './api/api-client.ts';
import { pathOf } from './cli.ts';

const SHORTEST = 8;
/** The common prefix of the event ids that fan-out generates: it distinguishes nothing. */
const EVENT_PREFIX = 'evt_';
/** An id that is not much longer is shown whole. */
const MUCH_LONGER = 4;
const MAX_SHOWN = 5;

/** @returns for each id its beginning, long enough that no other of them begins so */
export function shortIds(ids: readonly string[]): ReadonlyMap<string, string> {
  const sorted = [...new Set(ids)].sort();
  const short = sorted.map((id, index): [string, string] => {
    const neighbors = [sorted[index - 1] ?? '', sorted[index + 1] ?? ''];
    const needed = 1 + Math.max(...neighbors.map((other) => commonLength(id, other)));
    const usual = SHORTEST + (id.startsWith(EVENT_PREFIX) ? EVENT_PREFIX.length : 0);
    const length = Math.max(needed, usual);
    return [id, id.length <= length + MUCH_LONGER ? id : id.slice(0, length)];
  });
  return new Map(short);
}

/** A column of ids, each as short as it may be among them. */
export function shortened<Item>(items: readonly Item[], idOf: (item: Item) => string): (item: Item) => string {
  const short = shortIds(items.map(idOf));
  return (item) => short.get(idOf(item)) ?? idOf(item);
}

function commonLength(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return length;
}

export interface Ids {
  /** Below `/v1`: lists what has these ids. */
  readonly path: string;
  /** The query parameter of the list that takes the beginning of an id. */
  readonly prefix: 'idPrefix' | 'eventIdPrefix';
  /** Such as `dead letters`. */
  readonly what: string;
  readonly idOf: (item: never) => string;
}

/** Enough to see whether exactly one event matches: one event may have many attempts. */
const MAX_ASKED = 1_000;

/**
 * @param given an id, or its beginning
 * @returns the one id that is, or begins with, what was given; what was given if there is none: the API says so then
 * @throws {DatabridgeError} DB_INPUT_INVALID if several begin so
 */
export async function fullId(api: ApiClient, { path, prefix, what, idOf }: Ids, given: string): Promise<string> {
  const query: Query = { [prefix]: given };
  const found = [...new Set((await api.list<never>(path, query, MAX_ASKED)).map(idOf))];
  if (found.length === 0 || found.includes(given)) return given;
  if (found.length === 1) return found[0] as string;
  const shown = [...shortIds(found).values()].slice(0, MAX_SHOWN).join(', ');
  const more = found.length > MAX_SHOWN ? ' and more' : '';
  throw new DatabridgeError(
    'DB_INPUT_INVALID',
    `Several ${what} begin with "${given}": ${shown}${more}. Write more of it`,
  );
}

/** Resolves ids of events with attempts in the last days. */
export const eventsOf = (customer: string): Ids => ({
  ...{ path: pathOf(customer, 'attempts'), prefix: 'eventIdPrefix', what: 'events' },
  idOf: ({ eventId }: { readonly eventId: string }) => eventId,
});

export async function fullIds(api: ApiClient, ids: Ids, given: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const one of given) found.push(await fullId(api, ids, one));
  return found;
}
