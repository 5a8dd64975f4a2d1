/** Lists the changes that applying a file would make, field by field. Pure; secrets are already masked here. */
/** In the place of a secret, as the API answers. */
export const MASK = '[secret]';

type Plain = Readonly<Record<string, unknown>>;

export interface Difference {
  /** Such as `destination.url`. */
  readonly place: string;
  /** Absent if the value did not exist. */
  readonly before?: unknown;
  /** Absent if the value was removed. */
  readonly after?: unknown;
}

/** Maps are compared place by place, lists as a whole: the order of most matters, and few are long. */
export function differences(before: Plain, after: Plain): Difference[] {
  const [was, is] = [leavesOf(before), leavesOf(after)];
  // In the order of the new version; removed values come last.
  const places = [...new Set([...is.keys(), ...was.keys()])];
  return places.flatMap((place) => {
    const [old, now] = [was.get(place), is.get(place)];
    if (JSON.stringify(old) === JSON.stringify(now)) return [];
    return [{ place, ...(old !== undefined && { before: old }), ...(now !== undefined && { after: now }) }];
  });
}

function leavesOf(value: Plain, before: readonly string[] = []): Map<string, unknown> {
  const leaves = new Map<string, unknown>();
  for (const [key, one] of Object.entries(value)) {
    const place = [...before, key];
    if (one === undefined) continue;
    if (typeof one !== 'object' || one === null || Array.isArray(one) || Object.keys(one).length === 0) {
      leaves.set(place.join('.'), one);
    } else {
      for (const [name, leaf] of leavesOf(one as Plain, place)) leaves.set(name, leaf);
    }
  }
  return leaves;
}

/** One line a difference: `+` is new, `-` is gone, `~` is another. */
export function formatDifference({ place, before, after }: Difference): string {
  if (before === undefined) return `  + ${place}: ${shown(after)}`;
  if (after === undefined) return `  - ${place}: ${shown(before)}`;
  return `  ~ ${place}: ${shown(before)} → ${shown(after)}`;
}

function shown(value: unknown): string {
  if (value === MASK) return MASK;
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`;
  return typeof value === 'string' && /^[^\s,[\]{}"][^\n,[\]{}]*$/.test(value) ? value : JSON.stringify(value);
}
