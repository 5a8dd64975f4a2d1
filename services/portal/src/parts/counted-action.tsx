import type { Operation } from '@databridge/schemas/api/types';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { finished } from '../api/operation.ts';
import { Failure } from './notices.tsx';

export interface Counted {
  /** The number of affected objects; at 0, nothing can be confirmed. */
  readonly total: number;
  /** The exact consequences, as sentences. */
  readonly words: readonly string[];
}

interface CountedActionProps {
  /** The text of the button and the title of the dialog. */
  readonly title: string;
  readonly isDanger?: boolean;
  readonly isDisabled?: boolean;
  readonly customer?: string;
  /** A dry run, which changes nothing. */
  count(): Promise<Counted>;
  /** @returns its result, or an operation that continues */
  run(): Promise<unknown>;
  /** Returns the result as a sentence. */
  resultWords(result: Readonly<Record<string, unknown>>): string;
}

type Step =
  | { readonly kind: 'counting' }
  | { readonly kind: 'counted'; readonly counted: Counted }
  | { readonly kind: 'running'; readonly operation?: Operation }
  | { readonly kind: 'done'; readonly words: string }
  | { readonly kind: 'failed'; readonly error: unknown; readonly isChange: boolean };

/** Dry run → exact count → confirm → progress → receipt. */
export function CountedAction(props: CountedActionProps) {
  const { title, isDanger = false, isDisabled = false, customer, count, run, resultWords } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const [step, setStep] = useState<Step>({ kind: 'counting' });
  const queries = useQueryClient();
  const begin = () => {
    dialog.current?.showModal();
    setStep({ kind: 'counting' });
    count().then(
      (counted) => setStep({ kind: 'counted', counted }),
      (error: unknown) => setStep({ kind: 'failed', error, isChange: false }),
    );
  };
  const confirm = async () => {
    setStep({ kind: 'running' });
    try {
      const result = await finished(await run(), (operation) => setStep({ kind: 'running', operation }));
      setStep({ kind: 'done', words: resultWords(result) });
      void queries.invalidateQueries();
    } catch (error) {
      setStep({ kind: 'failed', error, isChange: true });
    }
  };
  return (
    <>
      <button type="button" className={isDanger ? 'danger' : undefined} disabled={isDisabled} onClick={begin}>
        {title}…
      </button>
      <dialog ref={dialog} aria-label={title}>
        <h2>{title}</h2>
        <div role="status">
          <StepWords step={step} customer={customer} />
        </div>
        <form method="dialog" className="actions">
          {step.kind === 'counted' && step.counted.total > 0 && (
            <button type="button" className={isDanger ? 'danger' : 'primary'} onClick={confirm}>
              {title} ({step.counted.total.toLocaleString('en')})
            </button>
          )}
          <button type="submit">{step.kind === 'counted' ? 'Cancel' : 'Close'}</button>
        </form>
      </dialog>
    </>
  );
}

function StepWords({ step, customer }: { readonly step: Step; readonly customer: string | undefined }) {
  switch (step.kind) {
    case 'counting':
      return <p>Counting; nothing is changed…</p>;
    case 'counted':
      return step.counted.words.map((words) => <p key={words}>{words}</p>);
    case 'running':
      return <Progress operation={step.operation} />;
    case 'failed':
      return <Failure error={step.error} isChange={step.isChange} />;
    case 'done':
      return (
        <>
          <p>{step.words}</p>
          <p>
            The{' '}
            {customer === undefined ? (
              <Link to="/audit">audit log</Link>
            ) : (
              <Link to="/customers/$customer/history" params={{ customer }}>
                history
              </Link>
            )}{' '}
            says who did it.
          </p>
        </>
      );
  }
}

function Progress({ operation }: { readonly operation: Operation | undefined }) {
  const { done, total } = operation?.progress ?? {};
  return (
    <>
      <p>
        {operation?.step ?? 'It begins'}
        {done !== undefined &&
          `: ${done.toLocaleString('en')}${total === undefined ? '' : ` of ${total.toLocaleString('en')}`}`}
      </p>
      {operation?.waitsFor !== undefined && <p>It waits: {operation.waitsFor}</p>}
      <progress aria-label="Progress" {...(done !== undefined && total !== undefined && { value: done, max: total })} />
      <p className="quiet">It continues if you close this.</p>
    </>
  );
}
