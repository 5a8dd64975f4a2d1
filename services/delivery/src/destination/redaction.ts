import type { Secret } from '@databridge/kernel/secrets/secret';

/** Shorter ones would blot out ordinary words; a secret so short is none. */
const MIN_LENGTH = 4;

/**
 * Takes secrets out of what others say: an API that echoes the request, a token server that quotes it. What it
 * quotes may be in one of the forms in which it was sent.
 */
export class Redaction {
  readonly #forms = new Set<string>();

  constructor(secrets: Iterable<Secret | string> = []) {
    for (const secret of secrets) this.add(secret);
  }

  add(secret: Secret | string): void {
    const text = typeof secret === 'string' ? secret : secret.reveal();
    for (const form of [text, encodeURIComponent(text), JSON.stringify(text).slice(1, -1)]) {
      if (form.length >= MIN_LENGTH) this.#forms.add(form);
    }
  }

  delete(text: string): void {
    for (const form of [text, encodeURIComponent(text), JSON.stringify(text).slice(1, -1)]) this.#forms.delete(form);
  }

  apply(text: string): string {
    let redacted = text;
    for (const form of this.#forms) redacted = redacted.replaceAll(form, '[secret]');
    return redacted;
  }
}
