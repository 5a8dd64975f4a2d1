import { useEffect, useState } from 'react';
import { absoluteTime, momentOf, wallTime } from './words.ts';
import { useZone } from './zone.tsx';

interface TimeFieldProps {
  readonly label: string;
  /** The time in ISO 8601; a text that is no time counts as empty. */
  readonly value: string | undefined;
  readonly onChange: (value: string | undefined) => void;
}

/** Edits a time in the chosen zone; the offset is shown beside it, since an hour repeats when clocks go back. */
export function TimeField({ label, value, onChange }: TimeFieldProps) {
  const { name: zone } = useZone();
  const ms = value === undefined || Number.isNaN(Date.parse(value)) ? undefined : Date.parse(value);
  const [text, setText] = useState('');
  useEffect(() => {
    // What is being typed stays as it is.
    setText((before) => (momentOf(before, zone) === ms ? before : ms === undefined ? '' : wallTime(ms, zone)));
  }, [ms, zone]);
  const change = (typed: string) => {
    setText(typed);
    const moment = momentOf(typed, zone);
    onChange(moment === undefined ? undefined : new Date(moment).toISOString());
  };
  return (
    <label>
      {label}
      <input
        type="datetime-local"
        step={1}
        value={text}
        onChange={({ currentTarget: { value: typed } }) => change(typed)}
      />
      <span className="quiet">{ms === undefined ? zone : absoluteTime(ms, zone, undefined)}</span>
    </label>
  );
}
