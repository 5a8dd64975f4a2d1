/** The mistakes that the API found in each field of a refused body. */
import { ApiError } from '../api/client.ts';

export interface Mistakes {
  /** Returns the mistakes at or below these pointers, for a field of the form. */
  at(...pointers: readonly string[]): readonly string[];
  /** Returns the mistakes, with their pointers, that no shown field covers. */
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
