import type { Invitation } from '@databridge/schemas/api/types';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import { ask } from '../api/client.ts';
import { ConfirmedAction } from '../parts/confirmed-action.tsx';
import { Failure } from '../parts/notices.tsx';
import { LinkAndCode } from './link-and-code.tsx';

/** The actions on an invitation that nobody has answered. */
export function InvitationActions({ invitation }: { readonly invitation: Invitation }) {
  const { id, customer, state } = invitation;
  if (state === 'used') return '–';
  return (
    <div className="actions">
      <Renew invitation={invitation} />
      {state === 'open' && (
        <ConfirmedAction
          title="Revoke"
          heading={`Revoke the invitation of ${customer}`}
          isDanger
          run={() => ask('POST /v1/invitations/{id}/revoke', { params: { id } })}
        >
          <p>Its link and its code become invalid.</p>
        </ConfirmedAction>
      )}
    </div>
  );
}

function Renew({ invitation: { id, customer } }: { readonly invitation: Invitation }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const queries = useQueryClient();
  const renewal = useMutation({
    mutationFn: () => ask('POST /v1/invitations/{id}/renew', { params: { id }, body: {} }),
  });
  // Only then: the row of the one that was renewed would take this dialog away.
  const closed = () => {
    if (renewal.isSuccess) void queries.invalidateQueries({ queryKey: ['invitations'] });
    renewal.reset();
  };
  return (
    <>
      <button type="button" onClick={() => dialog.current?.showModal()}>
        Renew…
      </button>
      <dialog ref={dialog} aria-label={`Renew the invitation of ${customer}`} onClose={closed}>
        <h2>Renew the invitation of {customer}</h2>
        {renewal.data === undefined ? (
          <p>A new link and a new code are made, valid for 72 hours. The earlier link becomes invalid.</p>
        ) : (
          <LinkAndCode invited={renewal.data} />
        )}
        {renewal.error !== null && <Failure error={renewal.error} isChange />}
        <form method="dialog" className="actions">
          {!renewal.isSuccess && (
            <button type="button" className="primary" disabled={renewal.isPending} onClick={() => renewal.mutate()}>
              Renew
            </button>
          )}
          <button type="submit">{renewal.isSuccess ? 'I have copied both' : 'Cancel'}</button>
        </form>
      </dialog>
    </>
  );
}
