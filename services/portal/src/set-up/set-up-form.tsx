/** The set-up as a form of destination, authentication, TLS and rate, by the schema of each kind. */
import { SelectField, TextField } from '../forms/field.tsx';
import type { Mistakes } from '../forms/mistakes.ts';
import type { Document } from '../parts/differences.ts';
import { isShown, type Section, sectionOf, withField, withKind, withoutHidden } from './draft.ts';
import type { FieldOf } from './fields.ts';
import { AUTHENTICATIONS, DESTINATIONS, TLS_FIELDS } from './kinds.ts';
import { SchemaField } from './schema-field.tsx';

interface SetUpFormProps {
  readonly draft: Document;
  readonly mistakes: Mistakes;
  readonly onChange: (draft: Document) => void;
}

/** The pointers that the form shows, with everything below them. */
export const SHOWN = ['/destination', '/authentication', '/tls', '/ratePerSecond', '/maxInFlight'];

export function SetUpForm({ draft, mistakes, onChange }: SetUpFormProps) {
  const destination = DESTINATIONS.find(({ type }) => type === sectionOf(draft, 'destination')['type']);
  const allowed = AUTHENTICATIONS.filter(({ type }) => destination?.authentications?.includes(type) ?? true);
  const authentication = AUTHENTICATIONS.find(({ type }) => type === sectionOf(draft, 'authentication')['type']);
  const choose = (section: 'destination' | 'authentication', type: string) => {
    const kind = [...(section === 'destination' ? DESTINATIONS : AUTHENTICATIONS)].find((one) => one.type === type);
    if (kind !== undefined) onChange(fitting(withKind(draft, section, kind)));
  };
  const hasTls = destination?.type === 'http' || destination?.type === 'api-gateway' || draft['tls'] !== undefined;
  return (
    <>
      <fieldset className="stack">
        <legend>Destination</legend>
        <SelectField
          label="Kind of destination"
          value={destination?.type ?? ''}
          options={DESTINATIONS.map(({ type, title }) => [type, title])}
          mistakes={mistakes.at('/destination/type')}
          onChange={({ currentTarget }) => choose('destination', currentTarget.value)}
        />
        <Fields section="destination" fields={destination?.fields ?? []} {...{ draft, mistakes, onChange }} />
      </fieldset>
      <fieldset className="stack">
        <legend>Authentication</legend>
        <SelectField
          label="How the destination recognizes Databridge"
          value={authentication?.type ?? ''}
          options={allowed.map(({ type, title }) => [type, title])}
          mistakes={mistakes.at('/authentication/type')}
          onChange={({ currentTarget }) => choose('authentication', currentTarget.value)}
        />
        <Fields section="authentication" fields={authentication?.fields ?? []} {...{ draft, mistakes, onChange }} />
      </fieldset>
      {hasTls && (
        <details>
          <summary>Client certificate and private authorities</summary>
          <div className="stack">
            <Fields section="tls" fields={TLS_FIELDS} {...{ draft, mistakes, onChange }} />
          </div>
        </details>
      )}
      <fieldset className="stack">
        <legend>Rate limit</legend>
        <LimitField name="ratePerSecond" label="Events per second, at most" {...{ draft, mistakes, onChange }} />
        <LimitField name="maxInFlight" label="Requests in flight, at most" {...{ draft, mistakes, onChange }} />
      </fieldset>
    </>
  );
}

/** Replaces an authentication that the destination does not allow by the first that it does. */
function fitting(draft: Document): Document {
  const { type } = sectionOf(draft, 'destination');
  const allowed = DESTINATIONS.find((one) => one.type === type)?.authentications ?? [];
  if (allowed.includes(String(sectionOf(draft, 'authentication')['type']))) return draft;
  const first = AUTHENTICATIONS.find((one) => allowed.includes(one.type));
  return first === undefined ? draft : withKind(draft, 'authentication', first);
}

/** Folds the optional settings of a destination. */
function Fields(props: SetUpFormProps & { readonly section: Section; readonly fields: readonly FieldOf[] }) {
  const { section, fields, draft, mistakes, onChange } = props;
  const values = sectionOf(draft, section);
  const shown = (field: FieldOf) => (
    <SchemaField
      key={`${String(values['type'])} ${field.name}`}
      field={field}
      value={values[field.name]}
      mistakes={mistakes.at(`/${section}/${field.name}`)}
      onChange={(value) => onChange(withoutHidden(withField(draft, section, field.name, value), section, fields))}
    />
  );
  const isMain = ({ isRequired, kind }: FieldOf) => section !== 'destination' || isRequired || kind.endsWith('secret');
  const going = fields.filter((field) => isShown(field, values, fields));
  const further = going.filter((field) => !isMain(field));
  const hasMistake = further.some(({ name }) => mistakes.at(`/${section}/${name}`).length > 0);
  return (
    <>
      {going.filter(isMain).map(shown)}
      {further.length > 0 && (
        <details open={hasMistake || undefined}>
          <summary>Further settings</summary>
          <div className="stack">{further.map(shown)}</div>
        </details>
      )}
    </>
  );
}

function LimitField(
  props: SetUpFormProps & { readonly name: 'ratePerSecond' | 'maxInFlight'; readonly label: string },
) {
  const { name, label, draft, mistakes, onChange } = props;
  return (
    <TextField
      label={label}
      type="number"
      min={0}
      step="any"
      value={String(draft[name] ?? '')}
      mistakes={mistakes.at(`/${name}`)}
      onChange={({ currentTarget: { value } }) => {
        const { [name]: _, ...others } = draft;
        onChange(value === '' ? others : { ...draft, [name]: Number(value) });
      }}
    />
  );
}
