/** `${NAME}` in the texts of a file is replaced by a variable of the environment; `$${` is the text `${`. */
import { isPlaceholder } from '@databridge/schemas/subscription/secret-rules';

export interface Filled {
  readonly text: string;
  /** Mistakes: variables that are not set, and malformed references. */
  readonly mistakes: readonly string[];
}

/**
 * One pass: the value of a variable is taken as it is, `${` included. References as others write them are not filled in, and
 * would be sent as they stand: `$NAME` is a mistake wherever a variable of that name is set. In the place of a secret,
 * whatever looks like a placeholder is one; a secret that really looks so comes by a variable.
 */
export function fillIn(text: string, env: Readonly<Record<string, string | undefined>>, isSecret = false): Filled {
  const mistakes: string[] = [];
  const filled = text.replace(/\$\$\{|\$\{([^}]*)(\}?)/g, (found: string, name?: string, end?: string) => {
    if (name === undefined) return '${';
    if (end === '' || !/^[A-Za-z_]\w*$/.test(name)) {
      mistakes.push(`"${found}" names no variable: write \${NAME}, or $\${ for the text \${ itself`);
      return found;
    }
    const value = env[name];
    if (value !== undefined && value !== '') return value;
    mistakes.push(`the variable ${name} is not set: export ${name}=…`);
    return found;
  });
  for (const [, name = ''] of text.matchAll(/(?<!\S)\$([A-Za-z_]\w*)(?!\S)/g)) {
    if ((env[name] ?? '') === '') continue;
    mistakes.push(`$${name} is not filled in: write \${${name}} for the value of the variable ${name}`);
  }
  if (isSecret && mistakes.length === 0 && filled === text && isPlaceholder(text)) {
    mistakes.push('is a placeholder, not a secret: write ${NAME}, and export the secret as that variable');
  }
  return { text: filled, mistakes };
}
