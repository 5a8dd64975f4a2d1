/**
 * A query string in the form of SigV4: only letters, digits and - . _ ~ are not encoded. The text that is signed is
 * then the text that is sent, and no proxy has to interpret it.
 * @returns the query with its `?`; empty if there is none
 */
export function strictQuery(pairs: Iterable<readonly [string, string]>): string {
  const encoded = [...pairs].map(([name, value]) => `${strictlyEncoded(name)}=${strictlyEncoded(value)}`);
  return encoded.length === 0 ? '' : `?${encoded.join('&')}`;
}

function strictlyEncoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}
