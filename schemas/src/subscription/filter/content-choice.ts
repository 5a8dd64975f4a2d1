/** Checks the parts of a subscription that concern the content of events, filter and sections, against the schemas. */
import type { EventType } from '../../event/event-types.ts';
import { type Issue, suggestion } from '../issue-words.ts';
import type { Interest } from '../routing.ts';
import { compileFilter } from './event-filter.ts';

interface ContentChoice extends Pick<Interest, 'eventTypes' | 'filter'> {
  readonly sections?: readonly string[];
}

/**
 * A filter must fit every event type of the subscription; a section, at least one of them.
 * @param describe finds an event type by its name; undefined if it has no schema
 */
export function contentIssues(
  { eventTypes, filter, sections }: ContentChoice,
  describe: (name: string) => EventType | undefined,
): Issue[] {
  if (filter === undefined && sections === undefined) return [];
  const known = eventTypes.map((name) => describe(name));
  const unknown = known.flatMap((type, index) =>
    type === undefined
      ? [{ path: ['eventTypes', index], message: 'has no schema, which filter and sections need' }]
      : [],
  );
  if (unknown.length > 0) return unknown;
  const types = known as EventType[];
  return [...filterIssues(types, filter), ...sectionIssues(types, sections ?? [])];
}

function filterIssues(types: readonly EventType[], filter: string | undefined): Issue[] {
  if (filter === undefined) return [];
  for (const { name, fields } of types) {
    const compiled = compileFilter(filter, fields);
    if (compiled.ok) continue;
    const of = types.length > 1 ? ` (${name})` : '';
    return [{ path: ['filter'], message: `${compiled.mistake}${of}` }];
  }
  return [];
}

function sectionIssues(types: readonly EventType[], sections: readonly string[]): Issue[] {
  const known = types.flatMap((type) => type.sections);
  return sections.flatMap((name, index) => {
    if (known.includes(name)) return [];
    const message = `is not a section${suggestion(name, known) || `; there are ${known.join(', ')}`}`;
    return [{ path: ['sections', index], message }];
  });
}
