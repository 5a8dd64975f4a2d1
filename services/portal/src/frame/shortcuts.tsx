import { useEffect, useRef } from 'react';

const KEYS = [
  ['/', 'Find an event'],
  ['?', 'Show these keys'],
  ['Esc', 'Close what is open'],
  ['Tab', 'Go on to the next control'],
] as const;

/** Keyboard shortcuts, which work everywhere except in a field. */
export function Shortcuts({ focusSearch }: { readonly focusSearch: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const isTyping =
        event.target instanceof Element && event.target.closest('input, textarea, select, dialog') !== null;
      if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === '/') {
        event.preventDefault();
        focusSearch();
      }
      if (event.key === '?') dialog.current?.showModal();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [focusSearch]);
  return (
    <>
      <button
        type="button"
        className="icon"
        aria-label="Keyboard shortcuts"
        onClick={() => dialog.current?.showModal()}
      >
        ?
      </button>
      <dialog ref={dialog} aria-labelledby="keys-title">
        <h2 id="keys-title">Keyboard shortcuts</h2>
        <dl className="keys">
          {KEYS.map(([key, meaning]) => (
            <div key={key}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{meaning}</dd>
            </div>
          ))}
        </dl>
        <form method="dialog">
          <button type="submit">Close</button>
        </form>
      </dialog>
    </>
  );
}
