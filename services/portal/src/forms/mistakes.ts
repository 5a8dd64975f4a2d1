/** What the API says about each field of a body that it refused. */
import { ApiError } from '../api/client.ts';

export interface Mistakes {
  /** Of the fields that a form shows: at these pointers, and below them. */
  at(...pointers: readonly string[]): readonly string[];
  /** Those that no field asked for yet, with their pointers. */
  others(shown: readonly string[]): readonly { readonly pointer: string; readonly detail: string }[];
}

export function mistakesIn(error: unknown): Mistakes {
  const errors = error instanceof ApiError ? (error.problem.errors ?? []) : [];
  const isAt = (pointer: string, place: string) => pointer === place || pointer.startsWith(`${place}/`);
  return {
    at: (...pointers) => {
      const found = errors.filter(({ pointer }) => pointers.some((place) => isAt(pointer, place)));
      return found.map(({ detail }) => detail);
    },
    others: (shown) => errors.filter(({ pointer }) => !shown.some((place) => isAt(pointer, place))),
  };
}
