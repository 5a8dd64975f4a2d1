/** Every query of the pages, with its own key. */

import type { Routes } from '@databridge/schemas/api/types';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { type AnswerOf, ask, type RouteName } from './client.ts';

const LIVE_MS = 5_000;
const PAGE = 100;

export const meQuery = () =>
  queryOptions({
    queryKey: ['me'],
    queryFn: ({ signal }) => ask('GET /v1/me', { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const statusQuery = (customer: string) =>
  queryOptions({
    queryKey: ['customer', customer, 'status'],
    queryFn: ({ signal }) => ask('GET /v1/subscriptions/{customer}/status', { params: { customer }, signal }),
    refetchInterval: LIVE_MS,
  });

/** @param stepMs whole minutes, in ms */
export const seriesQuery = (customer: string, stepMs: number) =>
  queryOptions({
    queryKey: ['customer', customer, 'series', stepMs],
    queryFn: ({ signal }) =>
      ask('GET /v1/subscriptions/{customer}/attempts/series', { params: { customer }, query: { stepMs }, signal }),
    refetchInterval: 4 * LIVE_MS,
  });

/** All customers, from as many pages of the API as needed. */
export const fleetQuery = () =>
  queryOptions({
    queryKey: ['fleet'],
    queryFn: async ({ signal }) => {
      const items: Fleet[number][] = [];
      let cursor: string | undefined;
      do {
        const page: AnswerOf<'GET /v1/status'> = await ask('GET /v1/status', {
          query: { limit: 1_000, cursor },
          signal,
        });
        items.push(...page.items);
        cursor = page.next;
      } while (cursor !== undefined);
      return items;
    },
    refetchInterval: 2 * LIVE_MS,
  });

export type Fleet = AnswerOf<'GET /v1/status'>['items'];

/** Routes whose answers have pages. */
type Paged = {
  [R in RouteName]: AnswerOf<R> extends { items: readonly unknown[]; next?: unknown } ? R : never;
}[RouteName];

export function pagesQuery<R extends Paged>(
  route: R,
  params: Readonly<Record<string, string>>,
  query: Omit<Routes[R]['query'], 'cursor'> = {} as Routes[R]['query'],
) {
  return infiniteQueryOptions({
    queryKey: [params['customer'] === undefined ? 'all' : 'customer', params['customer'] ?? '', route, params, query],
    queryFn: ({ pageParam, signal }) =>
      ask(route, { params, query: { limit: PAGE, ...query, cursor: pageParam } as Routes[R]['query'], signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => (page as { readonly next?: string }).next,
  });
}
