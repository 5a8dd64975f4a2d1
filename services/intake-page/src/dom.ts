/** Helpers for the page's document. Text is always set as text: no value becomes markup. */

type Child = Node | string;

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

let ids = 0;

/** An input that neither the browser nor a password manager stores: it has no name, and its form has no target. */
export function field(
  label: string,
  { isSecret = false, isLong = false, value = '', hint = '' },
): { readonly nodes: Node[]; readonly input: HTMLInputElement | HTMLTextAreaElement } {
  const id = `f${ids++}`;
  const input = isLong ? el('textarea', { id, rows: 6 }) : el('input', { id, type: isSecret ? 'password' : 'text' });
  input.value = value;
  input.autocomplete = 'off';
  input.spellcheck = false;
  input.setAttribute('autocapitalize', 'off');
  input.setAttribute('data-1p-ignore', '');
  input.setAttribute('data-lpignore', 'true');
  const nodes: Node[] = [el('label', { htmlFor: id }, label), input];
  if (hint !== '') nodes.push(el('small', {}, hint));
  return { nodes, input };
}

export function select(label: string, options: readonly (readonly [string, string])[], onChange?: () => void) {
  const id = `f${ids++}`;
  const input = el(
    'select',
    { id, onchange: onChange ?? null },
    ...options.map(([value, text]) => el('option', { value }, text)),
  );
  return { nodes: [el('label', { htmlFor: id }, label), input] as Node[], input };
}

export function show(...children: Child[]): void {
  const page = document.getElementById('page');
  page?.replaceChildren(el('h1', {}, 'Databridge Events'), ...children);
  page?.querySelector<HTMLElement>('input, select, h2')?.focus();
}

export const alertOf = (text: string) => {
  const note = el('p', {}, text);
  note.setAttribute('role', 'alert');
  return note;
};

/** @param onSubmit the form shows its failure, and can be sent again */
export function form(button: string, content: Node[], onSubmit: () => Promise<void>): HTMLFormElement {
  const submit = el('button', { type: 'submit' }, button);
  const note = el('div');
  const made = el('form', { noValidate: true }, ...content, note, submit);
  made.onsubmit = (event) => {
    event.preventDefault();
    submit.disabled = true;
    note.replaceChildren();
    onSubmit()
      .catch((error: Error) => note.replaceChildren(alertOf(error.message)))
      .finally(() => {
        submit.disabled = false;
      });
  };
  return made;
}
