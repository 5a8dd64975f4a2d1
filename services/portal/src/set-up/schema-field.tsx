import { useEffect, useState } from 'react';
import { CheckField, LongTextField, SelectField, TextField } from '../forms/field.tsx';
import { MASK, meaningOf } from './draft.ts';
import type { FieldOf } from './fields.ts';

interface SchemaFieldProps {
  readonly field: FieldOf;
  readonly value: unknown;
  readonly mistakes: readonly string[];
  readonly onChange: (value: unknown) => void;
}

/** The control for one field of a schema. */
export function SchemaField({ field, value, mistakes, onChange }: SchemaFieldProps) {
  const { label, hint, kind, isRequired, options = [], min, max } = field;
  const shared = { label, hint, mistakes };
  switch (kind) {
    case 'check':
      return (
        <CheckField
          {...shared}
          checked={value === true}
          onChange={({ currentTarget: { checked } }) => onChange(checked)}
        />
      );
    case 'choice':
      return (
        <SelectField
          {...shared}
          value={String(value ?? field.default ?? '')}
          options={options.map((one) => [one, one])}
          onChange={({ currentTarget }) => onChange(currentTarget.value)}
        />
      );
    case 'secret':
    case 'long-secret':
      return <SecretField {...{ field, value, mistakes, onChange }} />;
    case 'map':
      return <MapField {...{ field, value, mistakes, onChange }} />;
    case 'long':
      return (
        <LongTextField
          {...shared}
          value={String(value ?? '')}
          onChange={({ currentTarget }) => onChange(meaningOf(field, currentTarget.value))}
        />
      );
    default:
      return (
        <TextField
          {...shared}
          type={kind === 'number' ? 'number' : 'text'}
          required={isRequired}
          {...(min !== undefined && { min })}
          {...(max !== undefined && { max })}
          placeholder={field.default === undefined ? undefined : String(field.default)}
          value={String(value ?? '')}
          onChange={({ currentTarget }) => onChange(meaningOf(field, currentTarget.value))}
        />
      );
  }
}

/** Keeps the stored secret unless the user types another. */
function SecretField({ field: { label, kind }, value, mistakes, onChange }: SchemaFieldProps) {
  const [wasStored] = useState(value === MASK);
  const props = {
    ...{ label, mistakes },
    hint: wasStored ? 'Left empty, the stored one stays.' : undefined,
    value: value === MASK ? '' : String(value ?? ''),
    onChange: ({ currentTarget }: { readonly currentTarget: { readonly value: string } }) =>
      onChange(currentTarget.value === '' ? (wasStored ? MASK : undefined) : currentTarget.value),
  };
  return kind === 'secret' ? <TextField {...props} type="password" /> : <LongTextField {...props} />;
}

/** Edits names and values as JSON. Text that is not JSON yet stays as it was typed. */
function MapField({ field, value, mistakes, onChange }: SchemaFieldProps) {
  const [text, setText] = useState(() => textOf(value));
  useEffect(() => {
    // Changed elsewhere, such as by another kind.
    setText((before) => (JSON.stringify(meaningOf(field, before)) === JSON.stringify(value) ? before : textOf(value)));
  }, [field, value]);
  return (
    <LongTextField
      label={`${field.label}, as JSON`}
      hint={field.hint}
      mistakes={mistakes}
      rows={3}
      value={text}
      onChange={({ currentTarget }) => {
        setText(currentTarget.value);
        onChange(meaningOf(field, currentTarget.value) ?? {});
      }}
    />
  );
}

const textOf = (value: unknown) =>
  typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value, null, 2);
