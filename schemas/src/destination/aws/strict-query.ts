/**
 * A query string as SigV4 has it: nothing but letters, digits and - . _ ~ stays as it is. What is signed is then what
 * is sent, and nobody on the way has to guess.
 * @returns with its `?`; empty for none
 */
export function strictQuery(pairs: Iterable<readonly [string, string]>): string {
  const encoded = [...pairs].map(([name, value]) => `${strictlyEncoded(name)}=${strictlyEncoded(value)}`);
  return encoded.length === 0 ? '' : `?${encoded.join('&')}`;
}

function strictlyEncoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}
