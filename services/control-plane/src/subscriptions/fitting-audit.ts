/** An audit record that always fits: no change is made without one, so its size must never prevent a change. */
import { createHash } from 'node:crypto';
import type { AuditRecord } from '@databridge/schemas/records/audit';

/** A record below this size is written as a whole. */
const MAX_BYTES = 65_536;
const MAX_CHANGES = 100;
const MAX_VALUE_CHARS = 200;
const MAX_DETAIL_VALUE_BYTES = 4_096;

/**
 * @returns the record itself if it is small enough; otherwise the digests of before and after, and the differences. A
 *   digest is that of the JSON text, so the subscription of that time can be identified by it
 */
export function fittingAudit(record: AuditRecord): AuditRecord {
  if (bytesOf(record) <= MAX_BYTES) return record;
  const { before, after, detail, ...rest } = record;
  const changes = after === undefined ? [] : changesBetween(before ?? {}, after);
  return {
    ...rest,
    ...(before !== undefined && { before: digestOf(before) }),
    ...(after !== undefined && { after: digestOf(after) }),
    ...(detail !== undefined && { detail: shortened(detail) }),
    ...(changes.length > 0 && { changes: changes.slice(0, MAX_CHANGES) }),
    ...(changes.length > MAX_CHANGES && { moreChanges: changes.length - MAX_CHANGES }),
    ...(rest.secrets !== undefined && { secrets: rest.secrets.slice(0, MAX_CHANGES).map(cut) }),
  };
}

const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

function digestOf(value: unknown): Record<string, unknown> {
  const text = JSON.stringify(value);
  return { tooLarge: true, bytes: Buffer.byteLength(text), sha256: createHash('sha256').update(text).digest('hex') };
}

/** Replaces long values in the input of an operation, such as a list of ids, by digests. */
function shortened(detail: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(detail).map(([name, value]) => {
    if (bytesOf(value ?? null) <= MAX_DETAIL_VALUE_BYTES) return [name, value];
    return [name, { ...digestOf(value), ...(Array.isArray(value) && { items: value.length }) }];
  });
  return Object.fromEntries(entries.slice(0, MAX_CHANGES));
}

type Difference = NonNullable<AuditRecord['changes']>[number];

function changesBetween(before: object, after: object): Difference[] {
  const [old, now] = [leavesOf(before), leavesOf(after)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((pointer) => old.get(pointer) !== now.get(pointer))
    .sort()
    .map((pointer) => {
      const [was, is] = [old.get(pointer), now.get(pointer)];
      return {
        pointer: cut(pointer),
        ...(was !== undefined && { before: cut(was) }),
        ...(is !== undefined && { after: cut(is) }),
      };
    });
}

/** Every value that is no map and no list, as JSON text, by its JSON pointer. */
function leavesOf(value: unknown, pointer = '', found = new Map<string, string>()): Map<string, string> {
  if (typeof value !== 'object' || value === null) return found.set(pointer, JSON.stringify(value) ?? 'null');
  for (const [name, inner] of Object.entries(value)) {
    leavesOf(inner, `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, found);
  }
  return found;
}

const cut = (text: string) => (text.length <= MAX_VALUE_CHARS ? text : `${text.slice(0, MAX_VALUE_CHARS)}…`);
