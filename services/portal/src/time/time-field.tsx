import { useEffect, useState } from 'react';
import { absoluteTime, momentOf, wallTime } from './words.ts';
import { useZone } from './zone.tsx';

interface TimeFieldProps {
  readonly label: string;
  /** ISO 8601. What is none counts as empty. */
  readonly value: string | undefined;
  readonly onChange: (value: string | undefined) => void;
}

/** A time in the zone that is shown; its offset is said beside it, since an hour comes twice when clocks go back. */
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
