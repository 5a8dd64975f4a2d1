import { useMutation } from '@tanstack/react-query';
import { useRef } from 'react';
import { ask } from '../../api/client.ts';
import { Failure } from '../../parts/notices.tsx';

/** The content of an event, behind a click: reading it is a right of its own, and the audit log names each reading. */
export function LetterContent({ customer, id }: { readonly customer: string; readonly id: string }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const letter = useMutation({
    mutationFn: () => ask('GET /v1/subscriptions/{customer}/dead-letters/{id}', { params: { customer, id } }),
  });
  const open = () => {
    dialog.current?.showModal();
    letter.mutate();
  };
  return (
    <>
      <button type="button" onClick={open}>
        Read its content (audited)
      </button>
      <dialog ref={dialog} aria-label="Content of the event">
        <h2>Content of the event</h2>
        {letter.isPending && <p role="status">Reading…</p>}
        {letter.error !== null && <Failure error={letter.error} />}
        {letter.data?.unreadable !== undefined && <p>{letter.data.unreadable}</p>}
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
        {letter.data?.event !== undefined && <pre tabIndex={0}>{JSON.stringify(letter.data.event, null, 2)}</pre>}
        <form method="dialog">
          <button type="submit" onClick={() => letter.reset()}>
            Close
          </button>
        </form>
      </dialog>
    </>
  );
}
