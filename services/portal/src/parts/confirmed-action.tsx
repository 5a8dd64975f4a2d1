/** A button that asks for confirmation before it changes something, and shows the result. */

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useRef } from 'react';
import { Failure } from './notices.tsx';

interface ConfirmedActionProps {
  /** The text of the buttons. */
  readonly title: string;
  /** The heading of the dialog, which names the object. */
  readonly heading: string;
  readonly isDanger?: boolean;
  /** The consequences, shown before the confirmation. */
  readonly children: ReactNode;
  run(): Promise<unknown>;
}

export function ConfirmedAction({ title, heading, isDanger = false, children, run }: ConfirmedActionProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: run,
    onSuccess: async () => {
      dialog.current?.close();
      await queries.invalidateQueries();
    },
  });
  const open = () => {
    change.reset();
    dialog.current?.showModal();
  };
  return (
    <>
      <button type="button" className={isDanger ? 'danger' : undefined} onClick={open}>
        {title}…
      </button>
      <dialog ref={dialog} aria-label={heading}>
        <h2>{heading}</h2>
        {children}
        {change.error !== null && <Failure error={change.error} isChange />}
        <form method="dialog" className="actions">
          <button
            type="button"
            className={isDanger ? 'danger' : 'primary'}
            disabled={change.isPending}
            onClick={() => change.mutate()}
          >
            {title}
          </button>
          <button type="submit">Cancel</button>
        </form>
      </dialog>
    </>
  );
}
