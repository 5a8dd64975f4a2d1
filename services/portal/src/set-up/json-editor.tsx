import { useState } from 'react';
import { LongTextField } from '../forms/field.tsx';
import type { Mistakes } from '../forms/mistakes.ts';
import type { Document } from '../parts/differences.ts';

interface JsonEditorProps {
  readonly draft: Document;
  readonly mistakes: Mistakes;
  readonly onChange: (draft: Document) => void;
}

/** Edits the whole subscription as JSON: match, filter, sections, signing and ceilings included. */
export function JsonEditor({ draft, mistakes, onChange }: JsonEditorProps) {
  const [text, setText] = useState(() => JSON.stringify(draft, null, 2));
  const [mistake, setMistake] = useState<string>();
  const change = (value: string) => {
    setText(value);
    try {
      onChange(JSON.parse(value) as Document);
      setMistake(undefined);
    } catch (error) {
      setMistake(`It is not valid JSON: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  return (
    <LongTextField
      label="As JSON; a secret that stays is “[secret]”"
      rows={24}
      value={text}
      mistakes={[
        ...(mistake === undefined ? [] : [mistake]),
        ...mistakes.others([]).map(({ pointer, detail }) => `${pointer} ${detail}`),
      ]}
      onChange={({ currentTarget }) => change(currentTarget.value)}
    />
  );
}
