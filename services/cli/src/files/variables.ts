/** `${NAME}` in the texts of a file is replaced by a variable of the environment; `$${` is the text `${`. */

export interface Filled {
  readonly text: string;
  /** Mistakes: variables that are not set, and malformed references. */
  readonly mistakes: readonly string[];
}

/** One pass: what a variable holds is taken as it is, `${` included. */
export function fillIn(text: string, env: Readonly<Record<string, string | undefined>>): Filled {
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
  return { text: filled, mistakes };
}
