/**
 * A URL's user name and password, up to the last `@` before the path (WHATWG URL §4.4). A quote may be escaped, as it is
 * in JSON.
 */
const USER_INFO = /([a-z][a-z\d+.-]*:\/\/)(?:[^\s/?#"\\]|\\["u])*@/gi;

/** Removes user names and passwords from every URL in the text. */
export function withoutUserInfo(text: string): string {
  return text.includes('@') ? text.replace(USER_INFO, '$1') : text;
}
