import type { EventContent as Content } from '@databridge/schemas/api/types';
import { useMutation } from '@tanstack/react-query';
import { useRef } from 'react';
import { ask } from '../../api/client.ts';
import { Failure } from '../../parts/notices.tsx';

interface EventContentProps {
  readonly customer: string;
  /** The id of an event or of a dead letter. */
  readonly id: string;
  readonly of: 'event' | 'letter';
}

/** Shows the content of an event after a click: reading it needs its own right, and the audit log records it. */
export function EventContent({ customer, id, of }: EventContentProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const content = useMutation({
    mutationFn: async (): Promise<Content> => {
      const params = { customer, id };
      if (of === 'letter') return await ask('GET /v1/subscriptions/{customer}/dead-letters/{id}', { params });
      return await ask('GET /v1/subscriptions/{customer}/events/{id}/content', { params });
    },
  });
  const open = () => {
    dialog.current?.showModal();
    content.mutate();
  };
  return (
    <>
      <button type="button" onClick={open}>
        Read its content (audited)
      </button>
      <dialog ref={dialog} aria-label="Content of the event">
        <h2>Content of the event</h2>
        {content.isPending && <p role="status">Reading…</p>}
        {content.error !== null && <Failure error={content.error} />}
        {content.data?.unreadable !== undefined && <p>It can’t be shown: {content.data.unreadable}</p>}
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
        {content.data?.event !== undefined && <pre tabIndex={0}>{JSON.stringify(content.data.event, null, 2)}</pre>}
        <form method="dialog">
          <button type="submit" onClick={() => content.reset()}>
            Close
          </button>
        </form>
      </dialog>
    </>
  );
}
