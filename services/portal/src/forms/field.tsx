/** Form controls with labels, hints and the mistakes that the API found. */
import { type ComponentProps, type ReactNode, useId } from 'react';

interface FieldProps {
  readonly label: string;
  readonly hint?: string | undefined;
  /** The mistakes in the value, as sentences. */
  readonly mistakes?: readonly string[] | undefined;
}

type Described = Pick<ComponentProps<'input'>, 'id' | 'aria-describedby' | 'aria-invalid'>;

/** @param children gets the attributes that tie the control to its label, hint and mistakes */
function Field(props: FieldProps & { readonly children: (described: Described) => ReactNode }) {
  const { label, hint, mistakes = [], children } = props;
  const id = useId();
  const hasNote = hint !== undefined || mistakes.length > 0;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, ...(hasNote && { 'aria-describedby': `${id}-note` }), 'aria-invalid': mistakes.length > 0 })}
      {hasNote && (
        <div id={`${id}-note`}>
          {mistakes.map((mistake) => (
            <p key={mistake} className="bad">
              {mistake}
            </p>
          ))}
          {hint !== undefined && <p className="quiet">{hint}</p>}
        </div>
      )}
    </div>
  );
}

export function TextField(props: FieldProps & Omit<ComponentProps<'input'>, 'id'>) {
  const { label, hint, mistakes, ...input } = props;
  return (
    <Field {...{ label, hint, mistakes }}>
      {(described) => <input autoComplete="off" spellCheck={false} {...input} {...described} />}
    </Field>
  );
}

export function LongTextField(props: FieldProps & Omit<ComponentProps<'textarea'>, 'id'>) {
  const { label, hint, mistakes, ...textarea } = props;
  return (
    <Field {...{ label, hint, mistakes }}>
      {(described) => <textarea spellCheck={false} rows={4} {...textarea} {...described} />}
    </Field>
  );
}

export function SelectField(
  props: FieldProps &
    Omit<ComponentProps<'select'>, 'id'> & { readonly options: readonly (readonly [value: string, text: string])[] },
) {
  const { label, hint, mistakes, options, ...select } = props;
  return (
    <Field {...{ label, hint, mistakes }}>
      {(described) => (
        <select {...select} {...described}>
          {options.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export function CheckField(props: FieldProps & Omit<ComponentProps<'input'>, 'id' | 'type'>) {
  const { label, hint, mistakes, ...input } = props;
  const id = useId();
  const notes = [...(mistakes ?? []), ...(hint === undefined ? [] : [hint])];
  return (
    <div className="field">
      <label className="check">
        <input type="checkbox" {...input} aria-describedby={notes.length > 0 ? id : undefined} />
        {label}
      </label>
      {notes.length > 0 && (
        <div id={id} className="quiet">
          {notes.map((note) => (
            <p key={note}>{note}</p>
          ))}
        </div>
      )}
    </div>
  );
}
