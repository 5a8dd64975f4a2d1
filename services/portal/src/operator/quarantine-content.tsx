import { useMutation } from '@tanstack/react-query';
import { useRef } from 'react';
import { ask } from '../api/client.ts';
import { Failure } from '../parts/notices.tsx';

/** Shows the content of a quarantined record; the audit log records each opening. */
export function QuarantineContent({ id }: { readonly id: string }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const record = useMutation({ mutationFn: () => ask('POST /v1/quarantine/openings', { body: { id } }) });
  const open = () => {
    dialog.current?.showModal();
    record.mutate();
  };
  return (
    <>
      <button type="button" onClick={open}>
        Open it (audited)
      </button>
      <dialog ref={dialog} aria-label="Quarantined record">
        <h2>Quarantined record</h2>
        {record.isPending && <p role="status">Reading…</p>}
        {record.error !== null && <Failure error={record.error} />}
        {record.data !== undefined && (
          <>
            {record.data.unreadable !== undefined && <p>{record.data.unreadable}</p>}
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
            <pre tabIndex={0}>
              {JSON.stringify(
                record.data.event ?? { headers: record.data.headers, base64: record.data.value },
                null,
                2,
              )}
            </pre>
          </>
        )}
        <form method="dialog">
          <button type="submit">Close</button>
        </form>
      </dialog>
    </>
  );
}
