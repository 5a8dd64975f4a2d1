/** A subscription that is being changed. Pure. */
import { isSecretPath, SECRET_MASK } from '@databridge/schemas/subscription/secret-places';
import { type Difference, type Document, differences } from '../parts/differences.ts';
import type { FieldOf, Kind } from './fields.ts';

/** What the API shows in the place of a secret; sent back, the stored one stays. */
export const MASK = SECRET_MASK;

export type Section = 'destination' | 'authentication' | 'tls';

export const sectionOf = (draft: Document, section: Section): Document =>
  (draft[section] as Document | undefined) ?? (section === 'authentication' ? { type: 'none' } : {});

/** @param value undefined: left out */
export function withField(draft: Document, section: Section, name: string, value: unknown): Document {
  const { [name]: _, ...others } = sectionOf(draft, section);
  return withSection(draft, section, value === undefined ? others : { ...others, [name]: value });
}

/** Whether a field goes with what else is stated. */
export function isShown({ when }: FieldOf, values: Document, fields: readonly FieldOf[]): boolean {
  if (when === undefined) return true;
  const other = fields.find(({ name }) => name === when.field);
  return when.is.includes(String(values[when.field] ?? other?.default));
}

/** Without the fields that no longer go with what is stated. */
export function withoutHidden(draft: Document, section: Section, fields: readonly FieldOf[]): Document {
  const values = sectionOf(draft, section);
  const hidden = fields.filter((field) => field.name in values && !isShown(field, values, fields));
  return hidden.reduce((left, { name }) => withField(left, section, name, undefined), draft);
}

function withSection(draft: Document, section: Section, content: Document): Document {
  const { [section]: _, ...others } = draft;
  return Object.keys(content).length === 0 ? others : { ...draft, [section]: content };
}

/** Another kind: what both kinds have stays, and what the new one lacks goes. Secrets are never carried over. */
export function withKind(draft: Document, section: Section, { type, fields }: Kind): Document {
  const before = sectionOf(draft, section);
  const kept = fields.filter(({ name, kind }) => !kind.endsWith('secret') && name in before);
  const content = Object.fromEntries(kept.map(({ name }) => [name, before[name]]));
  return withSection(draft, section, { type, ...content });
}

/** What a control's text means: a field that is emptied is left out, so that its default counts. */
export function meaningOf({ kind }: Pick<FieldOf, 'kind'>, text: string): unknown {
  if (kind.endsWith('secret')) return text === '' ? undefined : text;
  if (text.trim() === '') return undefined;
  if (kind === 'number') return Number(text);
  return kind === 'map' ? mapOf(text) : text.trim();
}

/** @returns the text itself if it is no JSON yet: the API says then what is wrong with it */
function mapOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** What would change, without any secret that was typed. */
export function shownDifferences(stored: Document, draft: Document): Difference[] {
  return differences(stored, withTypedSecrets(draft, () => 'another secret') as Document);
}

/** Secrets that are others than the stored ones, by place, such as `authentication.key`. */
export function typedSecrets(draft: Document): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  withTypedSecrets(draft, (secret, place) => {
    found.set(place, secret);
    return MASK;
  });
  return found;
}

/** As it may be sent: what was typed is sealed apart. */
export const withoutTyped = (draft: Document) => withTypedSecrets(draft, () => MASK) as Document;

function withTypedSecrets(
  value: unknown,
  map: (secret: string, place: string) => string,
  path: string[] = [],
): unknown {
  if (typeof value === 'string') return value !== MASK && isSecretPath(path) ? map(value, path.join('.')) : value;
  if (Array.isArray(value)) return value.map((one, index) => withTypedSecrets(one, map, [...path, String(index)]));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, withTypedSecrets(one, map, [...path, name])]),
  );
}
