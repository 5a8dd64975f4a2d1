/** One page of a list that is read from its beginning to its end, in either order. */

export interface LetterPageQuery {
  readonly limit: number;
  readonly order: 'oldest' | 'newest';
  /** Only items after this one, in that order: `next` of the previous page. */
  readonly place?: number | undefined;
}

/** Holds at most the items of the page and one more, which tells whether there is a next page. */
export class LetterPage<T> {
  readonly #query: LetterPageQuery;
  readonly #found: { readonly offset: number; readonly item: T }[] = [];

  constructor(query: LetterPageQuery) {
    this.#query = query;
  }

  /** @param offset higher than all before @param make is called for an item that may be on the page */
  take(offset: number, make: () => T): void {
    const { limit, order, place } = this.#query;
    const isNewest = order === 'newest';
    if (place !== undefined && (isNewest ? offset >= place : offset <= place)) return;
    if (this.#found.length > limit) {
      if (!isNewest) return;
      this.#found.shift();
    }
    this.#found.push({ offset, item: make() });
  }

  page(): { readonly items: T[]; readonly next?: string } {
    const { limit, order } = this.#query;
    const ordered = order === 'newest' ? this.#found.toReversed() : this.#found;
    const shown = ordered.slice(0, limit);
    const last = shown.at(-1);
    const next = ordered.length > limit && last !== undefined ? { next: String(last.offset) } : {};
    return { items: shown.map(({ item }) => item), ...next };
  }
}
