/** The fields of a destination or an authentication, by the choice of its kind. */
import { el, field, select } from './dom.ts';

/** Stands for a secret in what is stated; its seal is sent apart. */
export const MASK = '[secret]';

interface FieldOf {
  /** The name in the subscription. */
  readonly name: string;
  readonly label: string;
  /** `lines`: a list, one value per line. */
  readonly kind?: 'text' | 'number' | 'lines' | 'long' | 'secret' | 'long-secret';
  /** The values that can be chosen, the default first. */
  readonly options?: readonly (readonly [value: string, text: string])[];
  readonly value?: string;
  readonly optional?: true;
  readonly hint?: string;
}

export interface Choice {
  readonly label: string;
  /** What is stated besides the fields; a `type` here replaces the name of the choice. */
  readonly fixed?: Record<string, unknown>;
  readonly fields: readonly FieldOf[];
}

/** A part of the form. */
export interface Part {
  readonly nodes: Node[];
  /** @param secrets gets the secrets, by place @returns the rest */
  read(secrets: Record<string, string>): Record<string, unknown>;
  /** Clears the secrets. */
  forget(): void;
}

export interface Chooser extends Part {
  /** The name of the choice. */
  chosen(): string;
  /** Offers these choices only. */
  limit(names: readonly string[]): void;
}

/**
 * @param further parts that a choice has besides its fields
 * @param onChoice called with the name of the choice after each change
 */
export function chooser(
  label: string,
  place: string,
  choices: Readonly<Record<string, Choice>>,
  further: Readonly<Record<string, Part>> = {},
  onChoice: (name: string) => void = () => undefined,
): Chooser {
  const inner = el('fieldset');
  let parts: Part[] = [];
  const choose = () => {
    const name = choice.input.value;
    const own = choices[name];
    const more = further[name];
    parts = [...(own ? [fieldsOf(place, own)] : []), ...(more ? [more] : [])];
    inner.replaceChildren(...parts.flatMap(({ nodes }) => nodes));
    onChoice(name);
  };
  const choice = select(
    label,
    Object.entries(choices).map(([name, one]) => [name, one.label]),
    choose,
  );
  const options = [...choice.input.options];
  choose();
  return {
    nodes: [...choice.nodes, inner],
    chosen: () => choice.input.value,
    limit(names) {
      const before = choice.input.value;
      choice.input.replaceChildren(...options.filter(({ value }) => names.includes(value)));
      if (names.includes(before)) choice.input.value = before;
      else choose();
    },
    read: (secrets) =>
      Object.assign(
        { type: choice.input.value },
        choices[choice.input.value]?.fixed,
        ...parts.map((part) => part.read(secrets)),
      ),
    forget() {
      for (const part of parts) part.forget();
    },
  };
}

export function fieldsOf(place: string, { fields }: Choice): Part {
  const made = fields.map((one) => {
    const { label, kind = 'text', options, value = '', hint = '' } = one;
    const isSecret = kind.endsWith('secret');
    const isLong = kind.startsWith('l');
    const control = options
      ? select(label, options)
      : field(label, { isSecret: kind === 'secret', isLong, value, hint });
    return { one, isSecret, ...control };
  });
  return {
    nodes: made.flatMap(({ nodes }) => nodes),
    read(secrets) {
      const stated: Record<string, unknown> = {};
      for (const { one, isSecret, input } of made) {
        const value = isSecret ? input.value : input.value.trim();
        if (value === '' && one.optional) continue;
        stated[one.name] = isSecret ? MASK : meaningOf(one, value);
        if (isSecret) secrets[`${place}.${one.name}`] = value;
      }
      return stated;
    },
    forget() {
      for (const { isSecret, input } of made) if (isSecret) input.value = '';
    },
  };
}

function meaningOf({ kind }: FieldOf, value: string): unknown {
  if (kind === 'number') return Number(value);
  return kind === 'lines' ? value.split(/\s*\n\s*/) : value;
}
