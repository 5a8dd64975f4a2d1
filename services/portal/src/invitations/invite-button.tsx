import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { ask } from '../api/client.ts';
import { type Asked, InviteForm } from './invite-form.tsx';
import { LinkAndCode } from './link-and-code.tsx';

/** Creates an invitation; its link and code are shown once. The address records whether the form is open. */
export function InviteButton({ customer, isOpen }: { readonly customer: string; readonly isOpen: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const queries = useQueryClient();
  const navigate = useNavigate({ from: '/invitations' });
  const invitation = useMutation({
    mutationFn: (body: Asked) => ask('POST /v1/invitations', { body }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['invitations'] }),
  });
  useEffect(() => {
    if (isOpen && dialog.current?.open === false) dialog.current.showModal();
    if (!isOpen) dialog.current?.close();
  }, [isOpen]);
  const show = (invite: 'new' | undefined) => navigate({ search: (old) => ({ ...old, invite }) });
  const closed = () => {
    invitation.reset();
    if (isOpen) void show(undefined);
  };
  return (
    <>
      <button type="button" className="primary" onClick={() => show('new')}>
        Invite…
      </button>
      <dialog ref={dialog} aria-label="Invite a customer" onClose={closed}>
        <h2>Invite a customer</h2>
        {invitation.data === undefined ? (
          isOpen && (
            <InviteForm
              customer={customer}
              error={invitation.error}
              isBusy={invitation.isPending}
              onAsked={(asked) => invitation.mutate(asked)}
            />
          )
        ) : (
          <LinkAndCode invited={invitation.data} />
        )}
        <form method="dialog" className="actions">
          <button type="submit">{invitation.isSuccess ? 'I have copied both' : 'Cancel'}</button>
        </form>
      </dialog>
    </>
  );
}
