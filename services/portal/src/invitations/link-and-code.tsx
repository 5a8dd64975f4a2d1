import type { NewInvitation } from '@databridge/schemas/api/types';
import { useState } from 'react';
import { Time } from '../time/zone.tsx';

/** Shows the link and the code once: nobody, not even Databridge, can show them again. */
export function LinkAndCode({ invited: { link, code, expiresAtMs } }: { readonly invited: NewInvitation }) {
  return (
    <div role="status">
      <p className="notice warning">
        <span>This is shown once. Send the link, and tell the code by another channel, such as a call.</span>
      </p>
      <dl>
        <Shown name="Link" value={link} />
        <Shown name="Code" value={code} />
      </dl>
      <p>
        Valid for one answer, until <Time ms={expiresAtMs} />.
      </p>
    </div>
  );
}

function Shown({ name, value }: { readonly name: string; readonly value: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = () => navigator.clipboard.writeText(value).then(() => setCopied(true));
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <output className="id" aria-label={name}>
          {value}
        </output>{' '}
        <button type="button" onClick={() => copy().catch(() => setCopied(false))}>
          {isCopied ? `${name} copied` : `Copy the ${name.toLowerCase()}`}
        </button>
      </dd>
    </div>
  );
}
