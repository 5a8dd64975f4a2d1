import { useMutation } from '@tanstack/react-query';
import { useRef } from 'react';
import { ask } from '../api/client.ts';
import { OutcomeMark } from '../parts/mark.tsx';
import { Failure } from '../parts/notices.tsx';
import { OUTCOMES, type OutcomeName } from '../parts/outcomes.ts';
import { milliseconds } from '../time/words.ts';

/** Sends one sample event, and shows the result. */
export function TestButton({ customer }: { readonly customer: string }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const test = useMutation({
    mutationFn: () => ask('POST /v1/subscriptions/{customer}/test', { params: { customer }, body: {} }),
  });
  const begin = () => {
    dialog.current?.showModal();
    test.mutate();
  };
  return (
    <>
      <button type="button" onClick={begin}>
        Send a test event
      </button>
      <dialog ref={dialog} aria-labelledby="test-title">
        <h2 id="test-title">A test event for {customer}</h2>
        {test.isPending && <p role="status">A worker sends it, and waits for the answer…</p>}
        {test.error !== null && <Failure error={test.error} isChange />}
        {test.data !== undefined && (
          <div role="status">
            <p>
              <OutcomeMark outcome={test.data.outcome as OutcomeName} />:{' '}
              {OUTCOMES[test.data.outcome as OutcomeName].meaning}, in {milliseconds(test.data.durationMs)}
              {test.data.status !== undefined && `, with HTTP status ${test.data.status}`}.
            </p>
            {test.data.error !== undefined && <p>{test.data.error}</p>}
            {test.data.answer !== undefined && test.data.answer !== '' && <pre>{test.data.answer}</pre>}
          </div>
        )}
        <form method="dialog" className="actions">
          <button type="button" onClick={() => test.mutate()} disabled={test.isPending}>
            Send again
          </button>
          <button type="submit">Close</button>
        </form>
      </dialog>
    </>
  );
}
