/** Extra parameters of the token request: a list of rows, each for a header, a query or a body parameter. */
import { el, field, select } from './dom.ts';
import { MASK, type Part } from './fields.ts';

const PLACES = [
  ['headers', 'Header'],
  ['query', 'Query parameter'],
  ['body', 'Body parameter'],
] as const;

interface Row {
  readonly node: HTMLElement;
  read(): { readonly where: string; readonly name: string; readonly value: string; readonly isSecret: boolean };
  forget(): void;
}

/** Its secrets have places such as `authentication.headers.X-Tenant.secret`. */
export function parametersPart(): Part {
  const rows: Row[] = [];
  const list = el('div');
  const add = el('button', { type: 'button' }, 'Add a parameter');
  add.onclick = () => {
    const row = parameterRow(() => {
      rows.splice(rows.indexOf(row), 1);
      row.node.remove();
    });
    rows.push(row);
    list.append(row.node);
    row.node.querySelector('select')?.focus();
  };
  return {
    nodes: [el('details', {}, el('summary', {}, 'Extra parameters of the token request'), list, add)],
    read(secrets) {
      const stated: Record<string, Record<string, unknown>> = {};
      for (const row of rows) {
        const { where, name, value, isSecret } = row.read();
        if (name === '') throw new Error('A parameter of the token request has no name: enter it, or remove the row.');
        // Without a prototype, `__proto__` is a name like others: it is sent, and refused by the service in words.
        const named: Record<string, unknown> = stated[where] ?? Object.create(null);
        stated[where] = named;
        if (Object.hasOwn(named, name)) throw new Error(`The parameter ${name} of the token request is there twice.`);
        if (isSecret) secrets[`authentication.${where}.${name}.secret`] = value;
        named[name] = isSecret ? { secret: MASK } : value;
      }
      return stated;
    },
    forget() {
      for (const row of rows) row.forget();
    },
  };
}

function parameterRow(remove: () => void): Row {
  const where = select('Where the parameter is sent', PLACES);
  const name = field('Name of the parameter', {});
  const value = field('Value of the parameter', {});
  const secret = el('input', { type: 'checkbox' });
  secret.onchange = () => {
    (value.input as HTMLInputElement).type = secret.checked ? 'password' : 'text';
  };
  const node = el(
    'fieldset',
    {},
    ...[...where.nodes, ...name.nodes, ...value.nodes],
    el('label', {}, secret, ' The value is a secret'),
    el('button', { type: 'button', onclick: remove }, 'Remove the parameter'),
  );
  return {
    node,
    read: () => ({
      ...{ where: where.input.value, name: name.input.value.trim(), isSecret: secret.checked },
      value: secret.checked ? value.input.value : value.input.value.trim(),
    }),
    forget() {
      if (secret.checked) value.input.value = '';
    },
  };
}
