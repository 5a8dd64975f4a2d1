/** A subscription that is being edited. Pure. */
import { isSecretPath, SECRET_MASK } from '@databridge/schemas/subscription/secret-places';
import { type Difference, type Document, differences } from '../parts/differences.ts';
import type { FieldOf, Kind } from './fields.ts';

/** The API shows this in place of a secret; a field with it keeps the stored secret. */
export const MASK = SECRET_MASK;

export type Section = 'destination' | 'authentication' | 'tls';

export const sectionOf = (draft: Document, section: Section): Document =>
  (draft[section] as Document | undefined) ?? (section === 'authentication' ? { type: 'none' } : {});

/** @param value undefined: the field is left out */
export function withField(draft: Document, section: Section, name: string, value: unknown): Document {
  const { [name]: _, ...others } = sectionOf(draft, section);
  return withSection(draft, section, value === undefined ? others : { ...others, [name]: value });
}

/** Tells whether a field applies to the other values. */
export function isShown({ when }: FieldOf, values: Document, fields: readonly FieldOf[]): boolean {
  if (when === undefined) return true;
  const other = fields.find(({ name }) => name === when.field);
  return when.is.includes(String(values[when.field] ?? other?.default));
}

/** Removes the fields that no longer apply to the other values. */
export function withoutHidden(draft: Document, section: Section, fields: readonly FieldOf[]): Document {
  const values = sectionOf(draft, section);
  const hidden = fields.filter((field) => field.name in values && !isShown(field, values, fields));
  return hidden.reduce((left, { name }) => withField(left, section, name, undefined), draft);
}

function withSection(draft: Document, section: Section, content: Document): Document {
  const { [section]: _, ...others } = draft;
  return Object.keys(content).length === 0 ? others : { ...draft, [section]: content };
}

/** Changes the kind: fields that both kinds have stay, other fields are removed. Secrets are never carried over. */
export function withKind(draft: Document, section: Section, { type, fields }: Kind): Document {
  const before = sectionOf(draft, section);
  const kept = fields.filter(({ name, kind }) => !kind.endsWith('secret') && name in before);
  const content = Object.fromEntries(kept.map(({ name }) => [name, before[name]]));
  return withSection(draft, section, { type, ...content });
}

/** Returns the value of a control's text: an empty field is left out, so that its default applies. */
export function meaningOf({ kind }: Pick<FieldOf, 'kind'>, text: string): unknown {
  if (kind.endsWith('secret')) return text === '' ? undefined : text;
  if (text.trim() === '') return undefined;
  if (kind === 'number') return Number(text);
  return kind === 'map' ? mapOf(text) : text.trim();
}

/** @returns the text itself if it is not JSON yet: the API then explains the mistake */
function mapOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Returns the changes, without any typed secret. */
export function shownDifferences(stored: Document, draft: Document): Difference[] {
  return differences(stored, withTypedSecrets(draft, () => 'another secret') as Document);
}

/** Returns the typed secrets by place, such as `authentication.key`. */
export function typedSecrets(draft: Document): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  withTypedSecrets(draft, (secret, place) => {
    found.set(place, secret);
    return MASK;
  });
  return found;
}

/** Returns the draft to send: typed secrets are sealed and sent apart. */
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
