/** A subscription that is being changed. Pure. */
import { type Difference, type Document, differences } from '../parts/differences.ts';
import type { FieldOf, Kind } from './fields.ts';

/** What the API shows in the place of a secret; sent back, the stored one stays. */
export const MASK = '[secret]';

export type Section = 'destination' | 'authentication' | 'tls';

export const sectionOf = (draft: Document, section: Section): Document =>
  (draft[section] as Document | undefined) ?? (section === 'authentication' ? { type: 'none' } : {});

/** @param value undefined: left out */
export function withField(draft: Document, section: Section, name: string, value: unknown): Document {
  const { [name]: _, ...others } = sectionOf(draft, section);
  return withSection(draft, section, value === undefined ? others : { ...others, [name]: value });
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
export function shownDifferences(stored: Document, draft: Document, secrets: ReadonlySet<string>): Difference[] {
  return differences(stored, draft).map((one) =>
    secrets.has(one.pointer) && one.to !== undefined ? { ...one, to: 'another secret' } : one,
  );
}
