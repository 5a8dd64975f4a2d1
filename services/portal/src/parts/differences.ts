/** Differences between two documents. */

export type Document = Readonly<Record<string, unknown>>;

export interface Difference {
  readonly pointer: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** Returns the differences between two documents by JSON pointer. A list counts as one value. */
export function differences(before: unknown, after: unknown, pointer = ''): Difference[] {
  if (before === undefined && after === undefined && pointer === '') return [];
  if (isRecord(before) && isRecord(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return names.flatMap((name) => differences(before[name], after[name], `${pointer}/${name}`));
  }
  const [from, to] = [textOf(before), textOf(after)];
  return from === to ? [] : [{ pointer: pointer || '/', from, to }];
}

const isRecord = (value: unknown): value is Document =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const textOf = (value: unknown) => (value === undefined ? undefined : JSON.stringify(value));

/** Returns the merge patch (RFC 7396) that turns one document into the other. */
export function mergePatch(from: Document, to: Document): Document {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])];
  return Object.fromEntries(
    names.flatMap((name) => {
      const [before, after] = [from[name], to[name]];
      if (JSON.stringify(before) === JSON.stringify(after)) return [];
      if (after === undefined) return [[name, null]];
      if (!isRecord(before) || !isRecord(after)) return [[name, after]];
      const inner = mergePatch(before, after);
      // Only the order differs.
      return Object.keys(inner).length === 0 ? [] : [[name, inner]];
    }),
  );
}
